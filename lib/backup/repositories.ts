// The repositories of the configuration, as restic is asked of them.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { config } from "../config/load";
import type { Config } from "../config/schema";
import { dataDirectory } from "../db/location";
import { AppError } from "../errors/app-error";
import { maskedText } from "../errors/mask";
import type { ResticRepository } from "../systems/restic/repository";

export type RepositoryConfig = Config["systems"]["restic"][number];

/** What restic is asked with. Its cache is kept with Sluice's data. */
export const resticOf = (repository: RepositoryConfig): ResticRepository => ({
  ...repository,
  cache: join(dataDirectory(), "restic-cache"),
});

/** Its address, without a password that is in it. */
export const addressOf = ({ repository }: Pick<RepositoryConfig, "repository">): string =>
  maskedText(repository);

export const repositories = (): readonly RepositoryConfig[] => config().systems.restic;

/** Throws AppError NOT_FOUND. */
export function repositoryCalled(name: string): RepositoryConfig {
  const found = repositories().find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new AppError("NOT_FOUND", `No repository is called ${name.slice(0, 100)}.`, {
    problem: "backup.noRepository",
    params: { name: name.slice(0, 100) },
  });
}

/** Folder of the files that keep what is in the snapshots. */
export const indexFolder = (): string => join(dataDirectory(), "backup-index");

/** The file of one repository: at another address it is another repository. */
export const indexFile = ({ name, repository }: RepositoryConfig): string =>
  join(indexFolder(), `${name}-${createHash("sha256").update(repository).digest("hex").slice(0, 12)}.db`);

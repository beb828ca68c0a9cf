// A house for tests: its own data directory, configuration and people.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Role } from "../changes/kind";
import { closeDatabase, db } from "../db/client";
import { openDatabase } from "../db/open";
import { passwordAccount } from "./passwords";

export const password = "correct horse battery";

const yaml = `
sites:
  - { name: north, addresses: ["http://north.example"] }
  - { name: south, addresses: ["http://south.example"] }
`;

export type House = { readonly directory: string; close(): Promise<void> };

/** Opens a fresh database below a temporary directory; call before anything else of the file touches it. */
export async function openHouse(config = yaml): Promise<House> {
  const directory = mkdtempSync(join(tmpdir(), "sluice-house-"));
  const file = join(directory, "sluice.yaml");
  writeFileSync(file, config);
  process.env.SLUICE_DATA = join(directory, "data");
  process.env.SLUICE_CONFIG = file;
  await openDatabase();
  return {
    directory,
    async close() {
      await closeDatabase();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Makes a user with `password`; their e-mail is `<name>@example.org`. */
export async function addUser(
  name: string,
  role: Role,
  more: { readonly sites?: readonly string[]; readonly mustChangePassword?: boolean } = {},
): Promise<string> {
  const id = crypto.randomUUID();
  await db().user.create({
    data: {
      id,
      name,
      email: `${name}@example.org`,
      role,
      sites: JSON.stringify(more.sites ?? []),
      mustChangePassword: more.mustChangePassword ?? false,
      accounts: { create: await passwordAccount(id, password) },
    },
  });
  return id;
}

// What restic says when it fails, as AppError: by exit code since 0.17, by its words before.
import { AppError } from "../../errors/app-error";
import { hidden, maskedText } from "../../errors/mask";
import type { ResticRepository } from "./repository";

const mostWords = 300;

/** With --json, restic 0.18 tells its last words as JSON; null for any other line. */
function lastWords(line: string): string | null {
  if (!/^\{.*"message_type":\s*"exit_error"/.test(line)) return null;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "message" in value ? String(value.message) : null;
  } catch {
    return null;
  }
}

/** Its last words; without tries on the way and the question that follows them. */
function plainText(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const told = lines.map(lastWords).find((words) => words !== null);
  const text =
    told ??
    lines
      .slice(
        Math.max(
          0,
          lines.findIndex((line) => line.startsWith("Fatal: ")),
        ),
      )
      .join("\n");
  return text
    .replace(/\nIs there a repository at the following location\?[\s\S]*/, "")
    .replaceAll("Fatal: ", "")
    .trim();
}

/** What restic said last, on one line, without what must not be seen. */
export function wordsOf(repository: ResticRepository, stderr: string): string {
  const secrets = [repository.password, ...Object.values(repository.env)].filter(
    (value): value is string => value !== undefined && value.length > 3,
  );
  const text = secrets.reduce((left, secret) => left.replaceAll(secret, hidden), plainText(stderr));
  return maskedText(text)
    .replace(/\p{Cc}+/gu, " ")
    .slice(0, mostWords);
}

type Lock = { readonly who: string; readonly since: string };

/** "repository is already locked exclusively by PID 12 on web-1 by root (UID 0, GID 0)", "lock was created at 2026-11-27 02:37:11 (5.9s ago)" */
function lockIn(text: string): Lock | null {
  const holder = /already locked(?: exclusively)? by PID (\d+) on (\S+)/.exec(text);
  if (holder === null) return null;
  const since = /lock was created at ([\d-]+ [\d:]+)/.exec(text)?.[1] ?? "?";
  return { who: `${holder[2]} (PID ${holder[1]})`, since };
}

/** Tried from the top: a server that is away is told before the repository that is not found there. */
const byWords: readonly [RegExp, ConstructorParameters<typeof AppError>[0], string][] = [
  [/wrong password or no key found|ciphertext verification failed/, "UPSTREAM_AUTH", "password"],
  [/no space left on device|disk quota exceeded/i, "DISK_FULL", "diskFull"],
  [/parsing repository location failed|invalid backend/, "CONFIG_INVALID", "address"],
  [
    /config file already exists|already initialized|repository master key and config already/,
    "CONFLICT",
    "exists",
  ],
  [
    /dial tcp|connection refused|no such host|network is unreachable|i\/o timeout|connection reset|context deadline exceeded|x509:|tls:|ssh: connect to host|unable to start the sftp session|subprocess ssh exited/i,
    "UNREACHABLE",
    "unreachable",
  ],
  [/append.only/i, "REFUSED", "appendOnly"],
  [
    /Access ?Denied|access key id|SignatureDoesNotMatch|signature we calculated|\(40[13]\)|40[13] (Unauthorized|Forbidden)|invalid_?credentials|unauthorized/i,
    "UPSTREAM_AUTH",
    "keys",
  ],
  [/no matching ID found|invalid id |failed to (?:find|load) snapshot/, "NOT_FOUND", "noSnapshot"],
  [/not found in snapshot|should be a file, but is a/, "NOT_FOUND", "noFile"],
  [/permission denied/i, "REFUSED", "denied"],
  [
    /unable to open config file|repository does not exist|Is there a repository at/,
    "REFUSED",
    "noRepository",
  ],
];
const byCode: Readonly<Record<number, readonly [ConstructorParameters<typeof AppError>[0], string]>> = {
  10: ["REFUSED", "noRepository"],
  12: ["UPSTREAM_AUTH", "password"],
};

/** A failed command as AppError; `params` are the system's name and restic's own words. */
export function faultOf(repository: ResticRepository, code: number | null, stderr: string): AppError {
  const says = wordsOf(repository, stderr) || `exit ${code ?? "by a signal"}`;
  const params = { system: repository.name, says };
  const lock = lockIn(stderr);
  if (lock !== null || code === 11)
    return new AppError("CONFLICT", `${repository.name} is locked: ${says}`, {
      problem: "restic.locked",
      params: { ...params, who: lock?.who ?? "?", since: lock?.since ?? "?" },
    });
  const words = byWords.find(([pattern]) => pattern.test(stderr));
  const known = words === undefined ? byCode[code ?? -1] : ([words[1], words[2]] as const);
  const [errorCode, problem] = known ?? (["REFUSED", "failed"] as const);
  return new AppError(errorCode, `${repository.name}: ${says}`, { problem: `restic.${problem}`, params });
}

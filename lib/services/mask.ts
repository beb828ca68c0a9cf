// Secrets that people write where everybody can read: in commands, health checks and labels. What looks like one is not shown.

import { hidden, maskedText } from "../errors/mask";

const telling =
  /pass(?:word|wd|phrase)?|pwd|secret|token|api-?key|access-?key|private-?key|credential|requirepass|masterauth/i;
/** Shorter ones stand in too many words. */
const leastSecret = 4;

export type Mask = {
  /** A text without what looks like a secret, and without the container's own. */
  text(text: string): string;
  /** A command's words as one line, likewise. */
  command(words: readonly string[]): string;
  /** Labels, with the values of those that hold credentials taken out: Traefik's basic and digest users among them. */
  labels(labels: Readonly<Record<string, string>>): Record<string, string>;
};

/** What the environment itself says is a secret, the longest first: one may hold another. */
const secretsOf = (env: readonly string[]): string[] =>
  env
    .map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)] as const)
    // MARIADB_PASSWORD_FILE names a file.
    .filter(([name, value]) => telling.test(name) && !/_FILE$/i.test(name) && value.length >= leastSecret)
    .map(([, value]) => value)
    .sort((a, b) => b.length - a.length);

/** For the container with this environment ("NAME=value"). */
export function maskFor(env: readonly string[]): Mask {
  const own = secretsOf(env);
  const text = (shown: string): string =>
    maskedText(own.reduce((left, secret) => left.replaceAll(secret, hidden), shown));
  return {
    text,
    command: (words) =>
      text(
        words
          .map((word, index) => {
            const before = words[index - 1] ?? "";
            // --requirepass hunter2; a value may begin with a dash, but hardly with two
            return /^-{1,2}[\w-]+$/.test(before) && telling.test(before) && !word.startsWith("--")
              ? hidden
              : text(word);
          })
          .join(" "),
      ),
    labels: (labels) =>
      Object.fromEntries(
        Object.entries(labels)
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([name, value]) => [
            name,
            /(?:basic|digest)auth\.users$|authorization/i.test(name) || telling.test(name)
              ? hidden
              : text(value),
          ]),
      ),
  };
}

/** The program that a command runs, and that there is more: for those who may not read the rest. */
export function programOf(words: readonly string[]): string {
  const [first = ""] = words.join(" ").split(/\s+/);
  return words.join(" ").trim().length > first.length ? `${first} …` : first;
}

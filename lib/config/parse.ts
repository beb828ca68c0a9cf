// sluice.yaml's text to a Config: YAML, ${ENV}, *_file, zod, cross references. Every problem says line, key and what to do.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isMap, isNode, isScalar, LineCounter, type Pair, parseDocument, type Scalar, visit } from "yaml";
import type * as z from "zod";
import { crossReferences } from "./cross-references";
import { type Config, configSchema } from "./schema";

/** What is wrong with the file, and where (line and column from 1; path as "sites.0.caches.varnish.1"). */
export type ConfigProblem = {
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
  readonly path?: string;
};

export type ParsedConfig =
  | { readonly ok: true; readonly config: Config; readonly secretFiles: readonly string[] }
  | {
      readonly ok: false;
      readonly problems: readonly ConfigProblem[];
      readonly secretFiles: readonly string[];
    };

const maxSecretBytes = 64 * 1024;
type Path = readonly PropertyKey[];

/**
 * Reads the text of `file`; `*_file` keys are read relative to its folder.
 * Never throws; a secret's value is never part of a problem.
 */
export function parseConfig(
  text: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
): ParsedConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems: ConfigProblem[] = [];
  const secretFiles: string[] = [];
  /** A "${" in a secret's file is the secret's own. */
  const asItStands = new Set<Scalar>();
  const at = (offset: number | undefined): { line?: number; column?: number } => {
    if (offset === undefined) return {};
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const failed = (): ParsedConfig => ({ ok: false, problems, secretFiles });

  for (const error of document.errors) problems.push({ message: error.message, ...at(error.pos[0]) });
  if (problems.length > 0) return failed();

  // *_file: the pair becomes one of the key without _file, at the same place in the text.
  visit(document, {
    Map(_key, map) {
      for (const pair of map.items) {
        const key = keyOf(pair);
        if (!key?.endsWith("_file") || key === "_file") continue;
        const position = at(startOf(pair.key));
        const target = key.slice(0, -"_file".length);
        if (!isScalar(pair.value) || typeof pair.value.value !== "string" || pair.value.value === "") {
          problems.push({
            message: `${key}: write the path of a file that holds the value.`,
            ...position,
            path: key,
          });
          continue;
        }
        if (map.has(target)) {
          problems.push({
            message: `Both ${target} and ${key} are given: keep one of them.`,
            ...position,
            path: key,
          });
          continue;
        }
        const named = interpolate(pair.value.value, env);
        if (!named.ok) {
          problems.push({ message: named.message, ...at(startOf(pair.value)), path: key });
          continue;
        }
        const secretFile = resolve(dirname(file), named.text);
        secretFiles.push(secretFile);
        const read = readSecret(secretFile);
        if (read.ok) {
          (pair.key as Scalar).value = target;
          pair.value.value = read.text;
          asItStands.add(pair.value);
        } else {
          problems.push({ message: `${key}: ${read.message}`, ...at(startOf(pair.value)), path: key });
        }
      }
    },
  });
  visit(document, {
    Scalar(key, node) {
      if (
        key === "key" ||
        asItStands.has(node) ||
        typeof node.value !== "string" ||
        !node.value.includes("$")
      )
        return;
      const result = interpolate(node.value, env);
      if (result.ok) node.value = result.text;
      else problems.push({ message: result.message, ...at(startOf(node)) });
    },
  });
  if (problems.length > 0) return failed();

  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    problems.push({ message: error instanceof Error ? error.message : String(error) });
    return failed();
  }

  /** Where `path` stands in the text, or the nearest thing around it. `key`: the key itself rather than its value. */
  const locate = (path: Path): { line?: number; column?: number } => {
    for (let length = path.length; length > 0; length--) {
      const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
      const last = path[length - 1];
      if (isMap(parent)) {
        const pair = parent.items.find((item) => keyOf(item) === last);
        if (pair) return at(startOf(pair.key));
      } else {
        const offset = startOf(document.getIn(path.slice(0, length), true));
        if (offset !== undefined) return at(offset);
      }
    }
    return at(startOf(document.contents));
  };
  const report = (path: Path, message: string): void => {
    const shown = path.map(String).join(".");
    problems.push({
      message: shown === "" ? message : `${shown}: ${message}`,
      ...locate(path),
      ...(shown === "" ? {} : { path: shown }),
    });
  };

  const checked = configSchema.safeParse(value);
  if (!checked.success) {
    for (const issue of checked.error.issues) reportIssue(issue, value, report);
    return failed();
  }
  for (const { path, message } of crossReferences(checked.data)) report(path, message);
  return problems.length > 0 ? failed() : { ok: true, config: checked.data, secretFiles };
}

/** One zod issue in words that say what to do. */
function reportIssue(
  issue: z.core.$ZodIssue,
  value: unknown,
  report: (path: Path, message: string) => void,
): void {
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys) {
      report(
        [...issue.path, key],
        "there is no such key. Look at sluice.example.yaml for what may stand here.",
      );
    }
    return;
  }
  const given = issue.path.reduce<unknown>(
    (outer, key) => (outer as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
  if (given === undefined && issue.code === "invalid_type") {
    report(issue.path, "is missing here.");
    return;
  }
  report(
    issue.path,
    issue.code === "invalid_format" && issue.format === "regex"
      ? `must be ${issue.message}.`
      : `${issue.message}.`,
  );
}

/** Replaces ${NAME}; "$${" stands for a literal "${". */
function interpolate(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): { ok: true; text: string } | { ok: false; message: string } {
  const missing: string[] = [];
  const replaced = text.replaceAll(
    /\$(\$\{)|\$\{([^}]*)\}/g,
    (_all, escaped: string | undefined, name: string) => {
      if (escaped !== undefined) return escaped;
      const found = env[name];
      if (found === undefined || found === "") missing.push(name);
      return found ?? "";
    },
  );
  if (missing.length === 0) return { ok: true, text: replaced };
  return {
    ok: false,
    message: `The environment variable ${missing[0]} is not set: set it, or write the value here ("$\${" for a literal "\${").`,
  };
}

function readSecret(file: string): { ok: true; text: string } | { ok: false; message: string } {
  try {
    const bytes = readFileSync(/* turbopackIgnore: true */ file);
    if (bytes.length > maxSecretBytes)
      return { ok: false, message: `${file} is larger than 64 KiB, too large for a secret.` };
    const text = bytes.toString("utf8").replace(/\r?\n$/, "");
    return text === "" ? { ok: false, message: `${file} is empty.` } : { ok: true, text };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === "ENOENT"
        ? "is not there"
        : code === "EACCES"
          ? "may not be read by the user Sluice runs as"
          : `cannot be read (${code})`;
    return { ok: false, message: `${file} ${why}.` };
  }
}

function keyOf(pair: Pair): string | undefined {
  return isScalar(pair.key) && typeof pair.key.value === "string" ? pair.key.value : undefined;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

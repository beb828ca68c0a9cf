// Says of Traefik's dynamic configuration files (file provider, YAML, v3.7) what Traefik would make of them, without a Traefik.
import { LineCounter } from "yaml";
import { hidden, maskedText } from "../../errors/mask";
import { maskedValue } from "../files/secrets";
import { decode, type Value } from "./decode";
import type { Effect, Params, Place, Problem, Tell } from "./problem";
import { checkReferences, type Known } from "./references";
import { rendered } from "./template";
import { readYaml, TooMuch } from "./yaml";

export type ConfigurationFile = { readonly name: string; readonly text: string };

/** Traefik reads these, and only these. */
const extension = (name: string): string => /\.[^./]*$/.exec(name)?.[0].toLowerCase() ?? "";

/** As os.ReadDir does it at each level: by the bytes of the names. */
export function inOrder(a: ConfigurationFile, b: ConfigurationFile): number {
  const [left, right] = [a, b].map(({ name }) => name.split("/").map((part) => Buffer.from(part)));
  for (const [index, part] of (left ?? []).entries()) {
    const other = right?.[index];
    const order = other === undefined ? 1 : Buffer.compare(part, other);
    if (order !== 0) return order;
  }
  return (left?.length ?? 0) - (right?.length ?? 0);
}

/** Of each effect: whoever wants to know whether a file is rejected must not miss it behind others. */
const mostProblems = 500;
const severityOf = (effect: Effect): Problem["severity"] =>
  effect === "rejected" || effect === "disabled" ? "error" : "warning";
const readText = 2000;
const keptText = 200;

/** A word of the file as it may be told: files hold passwords where nobody expects them. */
const tellable = (text: string): string =>
  maskedText(text.slice(0, readText))
    // Also of an address without a scheme.
    .replace(/([^\s:@/]{0,100}):(?!\/\/)[^\s@]{1,1000}@/g, `$1:${hidden}@`)
    .slice(0, keptText);
const tellableParams = (params: Params): Params =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === "string"
        ? tellable(maskedValue(name === "value" ? String(params.key ?? "") : "", value.slice(0, readText)))
        : value,
    ]),
  );

class Report {
  readonly #found: { readonly at: Place; readonly problem: Problem }[] = [];
  readonly #seen = new Set<string>();
  readonly #counts = new Map<Effect, number>();

  /** What takes problems of one file, whose places are those of its rendered text. */
  in(text: string, sourceOf: (at: number) => number = (at) => at): Tell {
    const lines = new LineCounter();
    lines.addNewLine(0);
    for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1);
    return (at, effect, code, params = {}, severity) => {
      if (this.#isFull(effect, at)) return;
      const start = lines.linePos(sourceOf(at.start));
      const end = lines.linePos(sourceOf(at.end));
      this.#add(at, {
        severity: severity ?? severityOf(effect),
        file: at.file,
        line: start.line,
        column: start.col,
        endLine: end.line,
        endColumn: end.col,
        code,
        params: tellableParams(params),
        effect,
      });
    };
  }

  /** Whether there is enough of such; the first one that is left out says that there are more. */
  #isFull(effect: Effect, { file }: Place): boolean {
    const count = this.#counts.get(effect) ?? 0;
    if (count < mostProblems) return false;
    if (count === mostProblems) {
      this.#counts.set(effect, count + 1);
      const at = { file, start: 0, end: 0 };
      const place = { line: 1, column: 1, endLine: 1, endColumn: 1 };
      const params = { count: mostProblems };
      const problem = { file, ...place, code: "moreProblems", params, effect };
      this.#found.push({ at, problem: { ...problem, severity: severityOf(effect) } });
    }
    return true;
  }

  #add(at: Place, problem: Problem): void {
    // What an anchor holds is read as often as it is used.
    const key = JSON.stringify(problem);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#counts.set(problem.effect, (this.#counts.get(problem.effect) ?? 0) + 1);
    this.#found.push({ at, problem });
  }

  all(): Problem[] {
    return this.#found
      .sort(
        (a, b) =>
          Buffer.compare(Buffer.from(a.at.file), Buffer.from(b.at.file)) ||
          a.problem.line - b.problem.line ||
          a.problem.column - b.problem.column,
      )
      .map(({ problem }) => problem);
  }
}

/** Makes something of a file; null, and told, where there is too much in it, or it leads too deep, to be gone through. */
function within<T>(at: Place, tell: Tell, make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TooMuch || error instanceof RangeError)) throw error;
    tell(at, "none", "tooMuch");
    return null;
  }
}

/** One file decoded; null where nothing can be said of what it holds. */
function decoded({ name, text }: ConfigurationFile, report: Report): { value: Value; tell: Tell } | null {
  const whole = { file: name, start: 0, end: 0 };
  const plain = report.in(text);
  if (![".yml", ".yaml"].includes(extension(name))) {
    plain(
      whole,
      extension(name) === ".toml" ? "none" : "ignored",
      extension(name) === ".toml" ? "tomlNotChecked" : "fileNotRead",
    );
    return null;
  }
  return within(whole, plain, () => {
    const template = rendered(name, text, plain);
    if (template === null) return null;
    const tell = report.in(text, template.sourceOf);
    const trees = readYaml(name, template.text, tell);
    return trees === null ? null : { value: decode(trees, whole, tell), tell };
  });
}

/**
 * What the files of a directory hold, in the order in which Traefik reads them. Nothing is said of what is wrong in them; `hidden`: there
 * are files of which it is not known what they hold.
 */
export function decodedFiles(files: readonly ConfigurationFile[]): {
  readonly values: readonly Value[];
  readonly hidden: boolean;
} {
  const read = [...files].sort(inOrder).map((file) => ({ file, found: decoded(file, new Report()) }));
  return { values: read.flatMap(({ found }) => (found ? [found.value] : [])), hidden: read.some(isHidden) };
}

/** It is read by Traefik, and cannot be here. */
const isHidden = ({ file, found }: { file: ConfigurationFile; found: unknown }): boolean =>
  found === null && [".yml", ".yaml", ".toml"].includes(extension(file.name));

/** What is wrong, and everything that Traefik puts out of service ("http.routers.shop"), however much it is. */
export type Judged = { readonly problems: Problem[]; readonly stopped: ReadonlySet<string> };

function validated(files: readonly ConfigurationFile[], known: Known, alone: boolean): Judged {
  const stopped = new Set<string>();
  const report = new Report();
  const read = [...files].sort(inOrder).map((file) => ({ file, found: decoded(file, report) }));
  const tells = new Map(read.flatMap(({ file, found }) => (found ? [[file.name, found.tell] as const] : [])));
  const tell: Tell = (at, effect, code, params, severity) => {
    if (effect === "disabled" && params?.element !== undefined) stopped.add(String(params.element));
    tells.get(at.file)?.(at, effect, code, params, severity);
  };
  // What a file holds that cannot be read may be what another one refers to.
  const hidden = read.some(isHidden);
  const values = read.flatMap(({ found }) => (found ? [found.value] : []));
  const [first] = tells.keys();
  within({ file: first ?? "", start: 0, end: 0 }, tell, () =>
    checkReferences(values, known, alone || hidden, tell),
  );
  return { problems: report.all(), stopped };
}

/**
 * What is wrong with one file alone: a name that is not in it may be in another. For the ways in which Traefik takes it see
 * `validateDirectory`.
 */
export const validateFile = (name: string, text: string): Problem[] =>
  validated([{ name, text }], {}, true).problems;

/**
 * What is wrong with all files of a directory, names from there on ("sub/shop.yml"), in the order of files and lines.
 *
 * Read in the source of v3.7.9 and of paerser v0.2.2, and compared with a running Traefik (validate.stack.test.ts):
 * - "rejected", and with it the whole directory: broken YAML, one key twice, a root that is no map, an unknown key below the top, an
 *   empty map or nothing but empty values where something must be, a map where a value must be, no number, boolean or duration where one
 *   must be, nothing or a list in a list, a date that is not in quotes, a broken template, and (Traefik dies of it) a weighted TCP or UDP
 *   service that leads back to itself.
 * - "disabled", a router and what in use stops it: no rule, no service, a rule that is none, no entry point that exists, a service,
 *   middleware, transport or TLS options that do not exist or cannot be made, a service or HTTP middleware of no or two kinds, recursion,
 *   malformed addresses, users, expressions, status ranges, URLs, unknown cipher suites, curves and client authentication.
 * - "ignored": an unknown top-level key, a name that an earlier file has (files in the order of their names' bytes), one of several entry
 *   points that does not exist, an unknown certificate resolver, TLS options without a host or at odds about one, TLS versions that are
 *   none (a transport loses all of its TLS settings for one), a second YAML document.
 * - "none", but hardly meant: a number that is read otherwise than it is written, a list where one text is read, what nobody uses.
 */
export const validateDirectory = (files: readonly ConfigurationFile[], known: Known): Problem[] =>
  judgeDirectory(files, known).problems;

/** The same, with all that is out of service. */
export const judgeDirectory = (files: readonly ConfigurationFile[], known: Known): Judged =>
  validated(files, known, false);

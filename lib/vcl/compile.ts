// A VCL compiled by every node of its cluster, into a name that goes again; and where the compiler's words point to.
import { randomBytes } from "node:crypto";
import { AppError, tellProblem, toAppError } from "../errors/app-error";
import { CompileError, vclDiscard, vclInline } from "../systems/varnish/cli";
import type { VclChecked, VclFile, VclProblem } from "./contract";
import { type Flat, flatten, IncludeCycle, type Place } from "./flatten";
import { hasCli, nodesOf, type VclNodeConfig } from "./nodes";
import { indexOf } from "./tokens";
import { warningsOf } from "./warnings";

const tabWidth = 8;
const encoder = new TextEncoder();

/** A column of the compiler's (bytes, a tab reaching to the next eighth) as a column of characters, both from 1. */
export function columnOf(line: string, position: number): number {
  let at = 0;
  let column = 1;
  for (const character of line) {
    if (at >= position - 1) return column;
    at =
      character === "\t" ? (Math.floor(at / tabWidth) + 1) * tabWidth : at + encoder.encode(character).length;
    column += character.length;
  }
  return column;
}

const frame = /\('(.+?)' Line (\d+) Pos (\d+)\)(?: -- \((?:Line (\d+) )?Pos (\d+)\))?/;

/** What a compiler said, at its place: its first sentence, and the first place it names (the others tell of what stands around it). */
export function problemOf(says: string, flat: Flat, node: string): VclProblem {
  const found = frame.exec(says);
  const text = says
    .replace(/^Message from VCC-compiler:\n/, "")
    .replace(/\n?Running VCC-compiler failed[\s\S]*$/, "")
    .trim();
  const first = (found === null ? text : text.slice(0, text.indexOf(found[0])))
    .replace(/\n?\(program line \d+\), at\s*$/, "")
    .replace(/\n?(?:At:|at)?\s*$/, "")
    .trim();
  const common = { severity: "error" as const, nodes: [node], says: first || text, warning: null };
  const [, path = "", line = "1", from = "1", endLine, to] = found ?? [];
  // Its own code comes after ours: what it stumbles over there was left open here. Of a file of the node's own disk, no line is ours.
  if (found === null || path.toLowerCase() === "<builtin>" || path.toLowerCase() === "builtin")
    return { ...common, ...range(flat, flat.text.trimEnd().length - 1, flat.text.trimEnd().length) };
  if (path !== "<vcl.inline>")
    return {
      ...common,
      file: path,
      line: Number(line),
      column: Number(from),
      endLine: Number(endLine ?? line),
      endColumn: Number(to ?? from) + 1,
    };
  const lines = flat.text.split("\n");
  const at = (number: number, position: number) =>
    indexOf(flat.text, number, columnOf(lines[number - 1] ?? "", position));
  const begin = at(Number(line), Number(from));
  const end = to === undefined ? begin + 1 : at(Number(endLine ?? line), Number(to)) + 1;
  return { ...common, ...range(flat, begin, end) };
}

function range(flat: Flat, from: number, to: number) {
  const begin = flat.placeAt(Math.max(0, from));
  const last = flat.placeAt(Math.max(0, from, to - 1));
  const same = last.file === begin.file;
  return {
    file: begin.file,
    line: begin.line,
    column: begin.column,
    endLine: same ? last.line : begin.line,
    endColumn: same ? last.column + 1 : begin.column + 1,
  };
}

/** The same words of several nodes are one problem. */
function merged(problems: readonly VclProblem[]): VclProblem[] {
  const all = new Map<string, VclProblem>();
  for (const problem of problems) {
    const key = JSON.stringify({ ...problem, nodes: [] });
    const known = all.get(key);
    all.set(key, known === undefined ? problem : { ...known, nodes: [...known.nodes, ...problem.nodes] });
  }
  return [...all.values()];
}

/** A name of ours on a node. With its text's hash: another Sluice, or a restored database, counts again from 1. */
export const vclNameOf = (revision: number, changeId: number, hash: string): string =>
  `sluice-r${revision}-c${changeId}-${hash.slice(0, 8)}`;
export const ownVcl = /^sluice-r(\d+)-c\d+-([a-f0-9]{8})$/;
/** A draft's, while it is compiled to be checked. */
export const checkVcl = /^sluice-check-[a-f0-9]{12}$/;

/** Has a node compile a text into a name that goes again. Throws CompileError, AppError. */
async function compileOn(node: VclNodeConfig, text: string, signal: AbortSignal | undefined): Promise<void> {
  const name = `sluice-check-${randomBytes(6).toString("hex")}`;
  try {
    // Cold: the probes of a draft do not begin to ask its backends.
    await vclInline(node, name, text, signal, "cold");
  } finally {
    // Also when nobody waits any more: it may have been compiled meanwhile. What stays is taken by the next roll-out.
    await vclDiscard(node, name).catch(() => {});
  }
}

const includeProblem = ({ file, line, column }: Place, warning: string): VclProblem => ({
  severity: "error",
  nodes: [],
  file,
  line,
  column,
  endLine: line,
  endColumn: column + "include".length,
  says: null,
  warning,
});

/** The files as one, or what is wrong with their includes: each must be one of the files, so that all nodes run the same. */
export function wholeText(files: readonly VclFile[]): Flat | VclProblem[] {
  try {
    const flat = flatten(files);
    return flat.foreign.length === 0
      ? flat
      : flat.foreign.map((place) => includeProblem(place, "includeMissing"));
  } catch (error) {
    if (!(error instanceof IncludeCycle)) throw error;
    return [includeProblem(error.place, "includeCycle")];
  }
}

/** What every node of a cluster says to a draft, and our own warnings. A node that does not answer is said so. Throws AppError NOT_FOUND. */
export async function checkDraft(
  cluster: string,
  files: readonly VclFile[],
  signal?: AbortSignal,
): Promise<VclChecked> {
  const nodes = nodesOf(cluster).filter(hasCli);
  const flat = wholeText(files);
  if (!("text" in flat)) return { problems: flat, nodes: [] };
  const checked = await Promise.all(
    nodes.map(async (node) => {
      const begun = performance.now();
      const ended = (state: "compiles" | "refuses" | "down", problem: unknown = null) => ({
        node: node.name,
        state,
        ms: Math.round(performance.now() - begun),
        problem:
          problem === null
            ? null
            : tellProblem(problem, {
                problem: "health.failed",
                params: { says: toAppError(problem).message },
              }),
      });
      try {
        await compileOn(node, flat.text, signal);
        return { told: ended("compiles"), problems: [] };
      } catch (error) {
        if (error instanceof CompileError)
          return { told: ended("refuses"), problems: [problemOf(error.says, flat, node.name)] };
        if (signal?.aborted) throw new AppError("CANCELLED", "Nobody waits for it any more.");
        return { told: ended("down", error), problems: [] };
      }
    }),
  );
  return {
    problems: [...merged(checked.flatMap(({ problems }) => problems)), ...warningsOf(files)],
    nodes: checked.map(({ told }) => told),
  };
}

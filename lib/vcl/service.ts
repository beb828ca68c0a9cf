// VCL as pages and the API ask for it: clusters, what a node runs, revisions.
import type { Actor } from "../changes/kind";
import { AppError } from "../errors/app-error";
import { wholeText } from "./compile";
import type { Cluster, Revision, RunningVcl, SavedVcl, VclFile, VclTest, VclTestResult } from "./contract";
import { flatten, IncludeCycle } from "./flatten";
import { clusters, nodeCalled, nodesOf } from "./nodes";
import { keepable, newestOf, revisionOf, revisionWith, saveRevision } from "./revisions";
import { runningOn } from "./running";
import { runTrials } from "./trial";
import { nodeSoon } from "./watch";

/** A page that is asked for every few seconds by several asks a node once. */
const freshMs = 5000;

/** Every cluster of the configuration with what its nodes run. */
export const clustersNow = (): Promise<Cluster[]> =>
  Promise.all(
    [...clusters()].map(async ([name, nodes]) => ({
      name,
      nodes: await Promise.all(nodes.map((node) => nodeSoon(node, freshMs))),
      newest: await newestOf(name),
    })),
  );

/** What a node serves, as it keeps it. Throws AppError. */
export async function runningOf(name: string, signal?: AbortSignal): Promise<RunningVcl> {
  const node = nodeCalled(name);
  const { name: active, files, hash } = await runningOn(node, signal);
  return {
    node: name,
    active,
    files: keepable(name, files, flatten(files).text),
    revision: await revisionWith(node.cluster, hash),
  };
}

/** Runs a draft's tests on a throw-away Varnish; null where there is none beside Sluice. Throws AppError. */
export async function testDraft(
  files: readonly VclFile[],
  tests: readonly VclTest[],
  signal: AbortSignal = new AbortController().signal,
): Promise<VclTestResult[] | null> {
  const flat = wholeText(files);
  if (!("text" in flat))
    throw new AppError("INVALID_INPUT", "An include of it cannot be resolved.", {
      problem: "vcl.includes",
      params: {},
      field: "files",
    });
  const ran = await runTrials(flat.text, tests, signal);
  return ran.state === "absent" ? null : ran.results;
}

/** Saves a revision and gives it. Throws AppError NOT_FOUND, CONFLICT, INVALID_INPUT. */
export async function save(saved: SavedVcl, actor: Actor): Promise<Revision> {
  nodesOf(saved.cluster);
  try {
    return await revisionOf(saved.cluster, await saveRevision(saved, actor.name));
  } catch (error) {
    if (!(error instanceof IncludeCycle)) throw error;
    throw new AppError("INVALID_INPUT", error.message, {
      problem: "vcl.includeCycle",
      params: { path: error.path },
      field: "files",
      cause: error,
    });
  }
}

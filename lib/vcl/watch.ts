// Whether each node still runs what was rolled out to it: looked at with its health, kept in memory for the page.

import { tellProblem, toAppError } from "../errors/app-error";
import type { ToldProblem } from "../errors/contract";
import { singleton } from "../runtime/singleton";
import { ownVcl } from "./compile";
import type { NodeVcl } from "./contract";
import { hasCli, type VclNodeConfig } from "./nodes";
import { expectedOn, revisionWith } from "./revisions";
import { fileOf } from "./rollout";
import { activeName, type Running, runningOn } from "./running";
import { tryName } from "./try-text";

/** Of a name of ours the text is known, and is read again so often all the same; "boot" is another text after each restart. */
const readAgainMs = 5 * 60_000;
const patienceMs = 1500;

type Known = { readonly at: number; readonly running: Running };
type Watch = {
  readonly known: Map<string, Known>;
  readonly drift: Map<string, { readonly hash: string; readonly since: number }>;
  readonly seen: Map<string, NodeVcl>;
  readonly looking: Map<string, Promise<NodeVcl>>;
};
const watch = () =>
  singleton<Watch>("vcl.watch", () => ({
    known: new Map(),
    drift: new Map(),
    seen: new Map(),
    looking: new Map(),
  }));

async function runningNow(node: VclNodeConfig): Promise<Running> {
  const known = watch().known.get(node.name);
  const name = await activeName(node);
  const same = known?.running.active === name && (ownVcl.test(name) || tryName.test(name));
  if (known !== undefined && same && Date.now() - known.at < readAgainMs) return known.running;
  const running = await runningOn(node);
  watch().known.set(node.name, { at: Date.now(), running });
  return running;
}

const nothing = (node: VclNodeConfig, state: NodeVcl["state"]): NodeVcl => ({
  node: node.name,
  state,
  problem: null,
  active: null,
  revision: null,
  expected: null,
  driftSince: null,
  file: "none",
  at: null,
});

/** Looks at what a node runs now. Never throws: a node that does not answer is said so, with what was rolled out to it. */
async function lookAtNode(node: VclNodeConfig): Promise<NodeVcl> {
  const seen = hasCli(node) ? await lookAt(node) : nothing(node, "none");
  watch().seen.set(node.name, seen);
  return seen;
}

async function lookAt(node: VclNodeConfig): Promise<NodeVcl> {
  const at = new Date().toISOString();
  let expected: { revision: number; hash: string } | null = null;
  try {
    expected = (await expectedOn(node.cluster)).get(node.name) ?? null;
    const running = await runningNow(node);
    const drifts = expected !== null && expected.hash !== running.hash;
    const { drift } = watch();
    const before = drift.get(node.name);
    if (!drifts) drift.delete(node.name);
    else if (before?.hash !== running.hash) drift.set(node.name, { hash: running.hash, since: Date.now() });
    const since = drift.get(node.name)?.since;
    return {
      node: node.name,
      state: "up",
      problem: null,
      active: running.active,
      revision: await revisionWith(node.cluster, running.hash),
      expected: expected?.revision ?? null,
      driftSince: since === undefined ? null : new Date(since).toISOString(),
      file: expected === null ? "none" : await fileOf(node, expected.hash),
      at,
    };
  } catch (error) {
    const says = toAppError(error).message;
    return {
      ...nothing(node, "down"),
      problem: tellProblem(error, { problem: "health.failed", params: { says } }),
      expected: expected?.revision ?? null,
      at,
    };
  }
}

const nodeSeen = (node: VclNodeConfig): NodeVcl =>
  watch().seen.get(node.name) ?? nothing(node, hasCli(node) ? "checking" : "none");

/**
 * A node as it is, or as it was seen last where that is younger than `freshMs`, or where it takes longer than a moment: a compile
 * keeps the CLI busy for seconds. Who asks at the same time makes one look. Never throws.
 */
export async function nodeSoon(node: VclNodeConfig, freshMs: number): Promise<NodeVcl> {
  const seen = nodeSeen(node);
  if (seen.at !== null && Date.now() - Date.parse(seen.at) < freshMs) return seen;
  const { looking } = watch();
  const look = looking.get(node.name) ?? lookAtNode(node).finally(() => looking.delete(node.name));
  looking.set(node.name, look);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<NodeVcl>((resolve) => {
    timer = setTimeout(() => resolve(nodeSeen(node)), patienceMs);
  });
  return Promise.race([look, late]).finally(() => clearTimeout(timer));
}

/** What is not as it was rolled out on a node: for its health, and so for its incident. Never throws. */
export async function driftOf(node: VclNodeConfig): Promise<ToldProblem[]> {
  const { driftSince, file, expected } = await nodeSoon(node, 0);
  const params = { node: node.name, number: expected ?? 0 };
  if (driftSince !== null) return [{ problem: "vcl.drift", params }];
  if (file !== "none" && file !== "same") return [{ problem: `vcl.drifted.${file}`, params }];
  return [];
}

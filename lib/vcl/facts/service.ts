// Asks a Varnish node for all that it tells of itself, once for everybody who looks within a few seconds.
import { type AppError, tellProblem, toAppError } from "../../errors/app-error";
import { singleton } from "../../runtime/singleton";
import { banList, pid, status, version } from "../../systems/varnish/cli";
import {
  backendFacts,
  counterFacts,
  panicFact,
  parameterFacts,
  storageFacts,
  vclFacts,
} from "../../systems/varnish/facts";
import { nodeCalled, type VclNodeConfig } from "../nodes";
import type { NodeFacts, Part } from "./contract";

const keptMs = 2000;
const mostBans = 50;

const iso = (ms: number) => new Date(ms).toISOString();

const failed = (error: unknown): { state: "failed"; problem: ReturnType<typeof tellProblem> } => ({
  state: "failed",
  problem: tellProblem(error, {
    problem: "health.failed",
    params: { says: toAppError(error).message.slice(0, 300) },
  }),
});

async function part<T>(ask: () => Promise<T>): Promise<Part<T>> {
  try {
    return { state: "ok", data: await ask() };
  } catch (error) {
    return failed(error);
  }
}

async function bansOf(node: VclNodeConfig) {
  const rows = await banList(node);
  return {
    total: rows.length,
    completed: rows.filter(({ completed }) => completed).length,
    rows: rows.slice(0, mostBans).map(({ time, refs, completed, spec = "" }) => ({
      at: iso(time * 1000),
      refs,
      completed,
      spec,
      onRequest: /\breq\./.test(spec),
    })),
  };
}

async function backendsOf(node: VclNodeConfig) {
  return (await backendFacts(node)).map((one) => ({
    ...one,
    changedAt: one.changedAt === null ? null : iso(one.changedAt),
  }));
}

async function countersOf(node: VclNodeConfig, metrics: string) {
  const { counters, rooms } = await counterFacts(node, metrics);
  return { ...counters, rooms };
}

async function ask(node: VclNodeConfig): Promise<NodeFacts> {
  const { metrics } = node;
  const counters = metrics === undefined ? null : part(() => countersOf(node, metrics));
  // A CLI that does not let us in would be waited for at each command.
  let closed: AppError | null = null;
  let told: string | null = null;
  try {
    told = await version(node);
  } catch (error) {
    closed = toAppError(error);
  }
  const byCli = <T>(what: () => Promise<T>): Promise<Part<T>> =>
    closed === null ? part(what) : Promise.resolve(failed(closed));
  // One after the other all the same: a node has one queue.
  const [daemon, vcls, backends, bans, parameters, storage, panic] = await Promise.all([
    byCli(async () => ({ version: told, state: await status(node), ...(await pid(node)) })),
    byCli(() => vclFacts(node)),
    byCli(() => backendsOf(node)),
    byCli(() => bansOf(node)),
    byCli(() => parameterFacts(node)),
    byCli(() => storageFacts(node)),
    byCli(() => panicFact(node)),
  ]);
  return {
    node: node.name,
    at: iso(Date.now()),
    daemon,
    vcls,
    backends,
    bans,
    parameters,
    storage,
    panic,
    counters: await counters,
  };
}

const asked = () =>
  singleton(
    "vcl.facts",
    () => new Map<string, { readonly node: VclNodeConfig; facts: Promise<NodeFacts> }>(),
  );

/** What a node tells of itself; a part that fails says why. Throws AppError NOT_FOUND. */
export async function factsOf(name: string): Promise<NodeFacts> {
  const node = nodeCalled(name);
  const kept = asked().get(name);
  if (kept?.node === node) return kept.facts;
  const facts = ask(node);
  asked().set(name, { node, facts });
  const forget = () => {
    if (asked().get(name)?.facts === facts) asked().delete(name);
  };
  facts.then(() => setTimeout(forget, keptMs).unref(), forget);
  return facts;
}

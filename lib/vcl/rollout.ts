// What one roll-out has in its hands: each step on its nodes, the proof, and the way back from all of it.
import type { RunContext } from "../changes/kind";
import { AppError, toAppError } from "../errors/app-error";
import { dropStaged, placeFiles, readTextFile, type Staged, stageFile } from "../runtime/staged-file";
import { command, status, vclDiscard, vclInline, vclList, vclUse } from "../systems/varnish/cli";
import { vclNameOf } from "./compile";
import type { NodeVcl, RolloutPlan } from "./contract";
import { hashOf, nodeCalled, type VclNodeConfig } from "./nodes";
import { keepFound, revisionWith, type WholeRevision, wholeRevision } from "./revisions";
import { activeName, runningOn } from "./running";

const mostBytes = 4 * 1024 * 1024;

export type PlannedNode = RolloutPlan["nodes"][number];

export const changed = (node: string) =>
  new AppError("CONFLICT", `${node} runs another VCL than when it was looked at: look at it again.`, {
    problem: "vcl.changed",
    params: { node },
  });

/** Does something with each at once; throws the first failure when all have ended. */
async function all<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const ended = await Promise.allSettled(items.map(act));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** What stands in a node's file, compared with the text of this hash. Never throws. */
export async function fileOf({ vcl_path: path }: VclNodeConfig, hash: string): Promise<NodeVcl["file"]> {
  if (path === undefined) return "none";
  try {
    const text = await readTextFile(path, mostBytes);
    if (text === null) return "missing";
    return hashOf(text) === hash ? "same" : "other";
  } catch {
    return "unreadable";
  }
}

/** What a node runs and keeps, and whether that is as planned. Throws AppError. */
export async function seenOn(node: PlannedNode, signal: AbortSignal) {
  const config = nodeCalled(node.node);
  const { name, hash } = await runningOn(config, signal);
  const file = await fileOf(config, node.hash);
  const served = hash === node.hash;
  return { name, hash, file, served, ok: served && (file === "same" || file === "none") };
}

/** Serves a VCL from a node; a child that a VCL before has ended is started again. */
async function serve(config: VclNodeConfig, name: string, signal?: AbortSignal): Promise<void> {
  await vclUse(config, name, signal);
  if ((await status(config, signal)) === "stopped") await command(config, "start", [], signal);
}

/** What could not be taken back: a node that may still serve the new one ("node-1"), or its file ("node-1: /path"). */
type NotBack = { readonly what: string; readonly error: AppError };

export class Rollout {
  readonly #plan: RolloutPlan;
  readonly #context: RunContext;
  readonly #revisions: ReadonlyMap<number, WholeRevision>;
  readonly #staged = new Map<string, Staged>();
  /** Files as they were before they were replaced. */
  readonly #replaced = new Map<string, string | null>();
  /** Nodes that may serve it by now. */
  readonly #told = new Set<string>();
  /** Files may be in their places by now. */
  #placing: boolean;

  constructor(plan: RolloutPlan, context: RunContext, revisions: ReadonlyMap<number, WholeRevision>) {
    this.#plan = plan;
    this.#context = context;
    this.#revisions = revisions;
    // A run that was cut off after its first checkpoint may have come to any step.
    this.#placing = context.checkpoint !== null;
    if (this.#placing) for (const { node } of this.fresh()) this.#told.add(node);
  }

  /** The nodes that do not run it already. */
  fresh(): PlannedNode[] {
    return this.#plan.nodes.filter(({ already }) => !already);
  }

  #text(revision: number): string {
    return this.#revisions.get(revision)?.text ?? "";
  }

  #nameOn({ revision, hash }: PlannedNode): string {
    return vclNameOf(revision, this.#context.changeId, hash);
  }

  /** Keeps what runs now, so that there is a way back. Throws CONFLICT when a node runs neither that nor ours. */
  async look(): Promise<void> {
    for (const node of this.#plan.nodes) {
      const running = await runningOn(nodeCalled(node.node), this.#context.signal);
      if (running.hash === node.hash) continue;
      if (running.hash !== node.before.hash) throw changed(node.node);
      await keepFound(this.#plan.cluster, node.node, running.files);
    }
  }

  /** Compiles on every node, at the same time: one that refuses is enough. */
  async compile(): Promise<void> {
    const { signal } = this.#context;
    await all(this.fresh(), async (node) => {
      const config = nodeCalled(node.node);
      const name = this.#nameOn(node);
      if ((await vclList(config, signal)).some((one) => one.name === name && one.status !== "discarded"))
        return;
      await vclInline(config, name, this.#text(node.revision), signal);
      this.#context.log("info", "vcl.compiled", { node: node.node, number: node.revision });
    });
  }

  /** Writes each node's file beside the one that is there: a full disk is met before anything serves. */
  async stage(): Promise<void> {
    for (const node of this.#plan.nodes) {
      const path = nodeCalled(node.node).vcl_path;
      if (path === undefined) continue;
      const text = this.#text(node.revision);
      const before = await readTextFile(path, mostBytes);
      if (before === text) continue;
      this.#replaced.set(node.node, before);
      this.#staged.set(node.node, await stageFile(path, text, `sluice-${this.#context.changeId}`));
    }
  }

  /** Serves it from a node; one that serves it already is left as it is. */
  async serveFrom(node: PlannedNode): Promise<void> {
    this.#told.add(node.node);
    const name = this.#nameOn(node);
    const config = nodeCalled(node.node);
    const { signal } = this.#context;
    if ((await vclList(config, signal)).some((one) => one.name === name && one.status === "active")) return;
    await serve(config, name, signal);
    this.#context.log("info", "vcl.serves", { node: node.node, number: node.revision });
  }

  /** Serves it from all that are left. */
  serveFromAll(): Promise<void> {
    return all(this.fresh(), (node) => this.serveFrom(node));
  }

  /** Puts the files in their places. */
  async place(): Promise<void> {
    this.#placing = true;
    await placeFiles([...this.#staged.values()]);
  }

  /** Each node's own word. Throws CONFLICT where one runs or keeps another text. */
  async prove(): Promise<void> {
    await all(this.#plan.nodes, async (node) => {
      const { ok, served } = await seenOn(node, this.#context.signal);
      if (ok) return;
      throw new AppError(
        "CONFLICT",
        `${node.node} ${served ? "keeps" : "runs"} another VCL than it was given: it was taken back.`,
        { problem: served ? "vcl.keepsOther" : "vcl.runsOther", params: { node: node.node } },
      );
    });
  }

  /** Every node as it was before, then its file. Gives what could not be done. */
  async takeBack(): Promise<NotBack[]> {
    await dropStaged([...this.#staged.values()]);
    const failed: NotBack[] = [];
    await Promise.all(
      this.#plan.nodes.map(async (node) => {
        const told = this.#told.has(node.node);
        // Each by itself, and first what everybody gets.
        await this.#vclBack(node).catch((thrown: unknown) => {
          const error = toAppError(thrown);
          if (told) failed.push({ what: node.node, error });
          // Nothing was told to it but to compile, which harms nobody; the next roll-out lets go of that.
          else this.#context.log("warn", "vcl.notAsked", { node: node.node, says: error.message });
        });
        await this.#fileBack(node).catch((thrown: unknown) => {
          const error = toAppError(thrown);
          failed.push({ what: `${node.node}: ${error.detail.params?.path ?? "?"}`, error });
        });
      }),
    );
    return failed;
  }

  async #vclBack(node: PlannedNode): Promise<void> {
    if (node.already) return;
    const config = nodeCalled(node.node);
    const ours = this.#nameOn(node);
    if (!this.#told.has(node.node)) return vclDiscard(config, ours);
    // By its text too: a node that started anew with the new file has it under another name.
    if ((await activeName(config)) === ours || (await runningOn(config)).hash === node.hash) {
      await this.#serveBefore(node, config);
      this.#context.log("warn", "vcl.tookBack", { node: node.node });
    }
    await letGo(node.node, ours, this.#context);
  }

  async #serveBefore(node: PlannedNode, config: VclNodeConfig): Promise<void> {
    const listed = await vclList(config);
    const there = (name: string) => listed.some((one) => one.name === name && one.status !== "discarded");
    if (there(node.before.name)) {
      await serve(config, node.before.name);
      // After a restart, "boot" is another one.
      if ((await runningOn(config)).hash === node.before.hash) return;
    }
    // It was restarted meanwhile, or somebody took it away: our copy of it is as good.
    const before = await this.#textBefore(node);
    if (before === null) throw changed(node.node);
    const name = vclNameOf(before.number, this.#context.changeId, before.hash);
    if (!there(name)) await vclInline(config, name, before.text);
    await serve(config, name);
  }

  async #fileBack(node: PlannedNode): Promise<void> {
    const path = nodeCalled(node.node).vcl_path;
    if (path === undefined || !this.#placing) return;
    const now = await readTextFile(path, mostBytes);
    // Somebody else's, or never replaced. Where there was none, the new one is no worse.
    if (now !== this.#text(node.revision)) return;
    const before = this.#replaced.get(node.node) ?? (await this.#textBefore(node))?.text;
    if (before === undefined || before === now) return;
    await placeFiles([await stageFile(path, before, `sluice-${this.#context.changeId}`)]);
  }

  async #textBefore({ before }: PlannedNode): Promise<WholeRevision | null> {
    const number = await revisionWith(this.#plan.cluster, before.hash);
    return number === null ? null : wholeRevision(this.#plan.cluster, number);
  }
}

/** Has a node let go of a VCL; one that stays (a label by hand holds it) is told, and harms nobody. Never throws. */
export async function letGo(node: string, name: string, context: RunContext): Promise<void> {
  try {
    await vclDiscard(nodeCalled(node), name);
  } catch (error) {
    context.log("warn", "vcl.stayed", { node, name, says: toAppError(error).message });
  }
}

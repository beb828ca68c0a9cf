// A trial on one node: its VCLs compiled and named, its door opened and closed, and what it leaves taken away.
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, toAppError } from "../errors/app-error";
import {
  CompileError,
  type LoadedVcl,
  vclDiscard,
  vclInline,
  vclLabel,
  vclList,
  vclUse,
} from "../systems/varnish/cli";
import { flatten } from "./flatten";
import type { VclNodeConfig } from "./nodes";
import { runningOn } from "./running";
import { type Door, draftText, namesOf, tryName, withDoor } from "./try-text";

/** A VCL that requests still run in goes when they end; its label waits for it. So long is waited. */
const leaveMs = 10_000;
const stepMs = 200;

const there = (listed: readonly LoadedVcl[], name: string): boolean =>
  listed.some((one) => one.name === name && one.status !== "discarded");

/** What a compiler says quotes lines of ours, with the secrets in them. */
async function hiding<T>({ token, enter }: Door, act: Promise<T>): Promise<T> {
  try {
    return await act;
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    const says = error.says.replaceAll(token, "…").replaceAll(enter, "…");
    const { node = "" } = error.detail.params ?? {};
    throw new AppError("REFUSED", `${node} does not compile it: ${says.slice(0, 300)}`, {
      problem: "varnish.compile",
      params: { node, says: says.slice(0, 300) },
    });
  }
}

/** Compiles the draft and the door on a node, and serves nothing of it yet. What is there already stays. Throws AppError. */
export async function prepare(
  node: VclNodeConfig,
  door: Door,
  draft: { readonly text: string; readonly revision: number },
  signal: AbortSignal,
): Promise<void> {
  const names = namesOf(door.change);
  const running = await runningOn(node, signal);
  if (running.active === names.top) return;
  const listed = await vclList(node, signal);
  if (!there(listed, names.draft)) {
    const text = draftText(draft.text, { revision: draft.revision, token: door.token });
    await hiding(door, vclInline(node, names.draft, text, signal));
  }
  if (!there(listed, names.label)) await vclLabel(node, names.label, names.draft, signal);
  if (!there(listed, names.top))
    await hiding(door, vclInline(node, names.top, withDoor(flatten(running.files).text, door), signal));
}

/** Everybody gets the same again from this node, and what the trial left on it goes. Does nothing twice. Throws AppError. */
export async function close(node: VclNodeConfig, change: number): Promise<void> {
  const names = namesOf(change);
  const running = await runningOn(node);
  if (running.active === names.top) {
    const listed = await vclList(node);
    if (there(listed, running.name)) await vclUse(node, running.name);
    else {
      // Somebody took it away meanwhile: its text stands behind the door.
      if (!there(listed, names.base)) await vclInline(node, names.base, flatten(running.files).text);
      await vclUse(node, names.base);
    }
  }
  await sweep(node, (name) => name === names.top || name === names.label || name === names.draft);
}

/** Lets go of what trials left on a node: what serves first, then labels, then what they name. What is in use stays for the next time. */
export async function sweep(node: VclNodeConfig, which: (name: string) => boolean): Promise<void> {
  const rank = (name: string) =>
    ["top", "try", "draft", "base"].findIndex((one) => name.startsWith(`sluice-${one}-`));
  const until = Date.now() + leaveMs;
  for (;;) {
    const left = (await vclList(node))
      .filter(({ name, status }) => status === "available" && tryName.test(name) && which(name))
      .sort((a, b) => rank(a.name) - rank(b.name));
    let refused = false;
    for (const { name } of left) {
      try {
        await vclDiscard(node, name);
      } catch (error) {
        if (toAppError(error).code !== "REFUSED") throw error;
        refused = true;
      }
    }
    if (!refused || Date.now() > until) return;
    await sleep(stepMs);
  }
}

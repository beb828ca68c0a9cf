// What a node runs at this moment, by its own word.
import { AppError, toAppError } from "../errors/app-error";
import { type ShownVcl, vclList, vclShow } from "../systems/varnish/cli";
import { ownVcl } from "./compile";
import type { VclFile } from "./contract";
import { fileName, flatten } from "./flatten";
import { hashOf, type VclNodeConfig } from "./nodes";
import { wholeRevision } from "./revisions";
import { type Door, withoutDoor } from "./try-text";

export type Running = {
  /** The VCL's name on the node: during a trial, of the one that everybody else gets. */
  readonly name: string;
  /** The name of the one that is active: with a trial's door, another one. */
  readonly active: string;
  /** A trial's door stands before it; the files and the hash are without. It holds secrets. */
  readonly door: Door | null;
  /** As the node keeps it: the main file, then what it took from its own disk. */
  readonly files: VclFile[];
  /** Of its one text. */
  readonly hash: string;
};

/** The name of the VCL that serves. Throws AppError. */
export async function activeName(node: VclNodeConfig, signal?: AbortSignal): Promise<string> {
  const active = (await vclList(node, signal)).find(({ status }) => status === "active");
  if (active !== undefined) return active.name;
  throw new AppError("BAD_ANSWER", `${node.name} serves no VCL.`, {
    problem: "vcl.noneActive",
    params: { node: node.name },
  });
}

/** Without its child a node shows no VCL (101): of a name of ours, the text is known. */
async function shownBy(node: VclNodeConfig, name: string, signal?: AbortSignal): Promise<ShownVcl> {
  try {
    return await vclShow(node, name, signal);
  } catch (error) {
    const [, number, start] = ownVcl.exec(name) ?? [];
    if (number === undefined || toAppError(error).detail.params?.status !== 101) throw error;
    const { text, hash } = await wholeRevision(node.cluster, Number(number));
    if (start !== hash.slice(0, 8)) throw error;
    return [{ path: "<vcl.inline>", text }];
  }
}

/** What a node serves. Throws AppError. */
export async function runningOn(node: VclNodeConfig, signal?: AbortSignal): Promise<Running> {
  const active = await activeName(node, signal);
  const shown = await shownBy(node, active, signal);
  const whole = shown
    .map(({ path, text }, index) => ({
      name: index === 0 && path.startsWith("<") ? "main.vcl" : fileName(path),
      text,
    }))
    // A file that is included twice is shown twice.
    .filter(
      ({ name, text }, index, all) =>
        index === all.findIndex((one) => one.name === name && one.text === text),
    );
  const behind = withoutDoor(whole[0]?.text ?? "");
  const files =
    behind === null ? whole : whole.map((file, index) => (index > 0 ? file : { ...file, text: behind.text }));
  return {
    name: behind?.door.base ?? active,
    active,
    door: behind?.door ?? null,
    files,
    hash: hashOf(flatten(files).text),
  };
}

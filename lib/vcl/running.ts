// What a node runs at this moment, by its own word.
import { AppError } from "../errors/app-error";
import { vclList, vclShow } from "../systems/varnish/cli";
import type { VclFile } from "./contract";
import { flatten } from "./flatten";
import { hashOf, type VclNodeConfig } from "./nodes";

export type Running = {
  /** The active VCL's name on the node. */
  readonly name: string;
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

/** What a node serves. Throws AppError. */
export async function runningOn(node: VclNodeConfig, signal?: AbortSignal): Promise<Running> {
  const name = await activeName(node, signal);
  const shown = await vclShow(node, name, signal);
  const files = shown.map(({ path, text }, index) => ({
    name: index === 0 && path.startsWith("<") ? "main.vcl" : path.replace(/[^A-Za-z0-9_./-]/g, "_"),
    text,
  }));
  return { name, files, hash: hashOf(flatten(files).text) };
}

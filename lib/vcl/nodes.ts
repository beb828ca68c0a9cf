// The Varnish nodes of the configuration, by cluster: those of one cluster run the same VCL.
import { createHash } from "node:crypto";
import { config } from "../config/load";
import type { Config } from "../config/schema";
import { AppError } from "../errors/app-error";

export type VclNodeConfig = Config["systems"]["varnish"][number];

/** SHA-256 of a text in hexadecimal: texts are compared by it. */
export const hashOf = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

/** Whether Sluice reaches a node's management CLI. */
export const hasCli = (node: VclNodeConfig): boolean =>
  node.admin !== undefined || node.admin_listen !== undefined;

/** The clusters of the configuration with their nodes, in its order. */
export function clusters(): Map<string, VclNodeConfig[]> {
  const all = new Map<string, VclNodeConfig[]>();
  for (const node of config().systems.varnish)
    all.set(node.cluster, [...(all.get(node.cluster) ?? []), node]);
  return all;
}

/** A cluster's nodes. Throws AppError NOT_FOUND. */
export function nodesOf(cluster: string): VclNodeConfig[] {
  const nodes = clusters().get(cluster);
  if (nodes !== undefined) return nodes;
  throw new AppError("NOT_FOUND", `No cluster of Varnish is called ${cluster.slice(0, 100)}.`, {
    problem: "vcl.noCluster",
    params: { cluster: cluster.slice(0, 100) },
  });
}

/** A node by its name. Throws AppError NOT_FOUND. */
export function nodeCalled(name: string): VclNodeConfig {
  const node = config().systems.varnish.find((one) => one.name === name);
  if (node !== undefined) return node;
  throw new AppError("NOT_FOUND", `No Varnish is called ${name.slice(0, 100)}.`, {
    problem: "vcl.noNode",
    params: { node: name.slice(0, 100) },
  });
}

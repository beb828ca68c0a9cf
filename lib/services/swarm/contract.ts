// A Swarm as the browser sees it, and the acts on it.
import * as z from "zod";
import { changeLevel } from "../../changes/contract";
import { deployChoices, imageChanges, imageTarget } from "../deploy/contract";

export const swarmState = z.object({
  host: z.string(),
  nodes: z.array(
    z.object({
      id: z.string(),
      hostname: z.string(),
      role: z.string(),
      leader: z.boolean(),
      state: z.string(),
      availability: z.string(),
      engine: z.string().nullable(),
      address: z.string().nullable(),
      message: z.string().nullable(),
      cpus: z.number().nullable(),
      memory: z.number().nullable(),
    }),
  ),
  services: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      stack: z.string().nullable(),
      image: z.string(),
      /** Null of a service that runs once on every node. */
      replicas: z.int().nullable(),
      running: z.int(),
      desired: z.int(),
      updatedAt: z.iso.datetime().nullable(),
      /** The Swarm's own word for how its last update stands, and what it says of it. */
      update: z
        .object({ state: z.string(), message: z.string(), at: z.iso.datetime().nullable() })
        .nullable(),
      tasks: z.array(
        z.object({
          id: z.string(),
          slot: z.int().nullable(),
          node: z.string(),
          state: z.string(),
          desired: z.string(),
          error: z.string().nullable(),
          exitCode: z.int().nullable(),
          at: z.iso.datetime().nullable(),
        }),
      ),
    }),
  ),
});
export type SwarmState = z.infer<typeof swarmState>;

export const swarmActs = ["scale", "deploy", "restart", "availability"] as const;
/** A service's name or id; of availability the node's. */
export const swarmName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/, "a name such as shop_php");
const named = z.object({
  host: z.string().min(1).max(100),
  name: swarmName,
  /** The version that was looked at: another one by now is refused. */
  expected: z.int().optional(),
});
export const swarmInput = z.discriminatedUnion("act", [
  named.extend({ act: z.literal("scale"), replicas: z.int().min(0).max(1000) }),
  named.extend({
    act: z.literal("deploy"),
    /** "nginx:1.28"; a tag alone is of the same repository. */
    image: z.string().trim().min(1).max(400),
    /** The change before which the service was as it shall be again, whole; `image` then only says so. */
    kept: z.int().positive().optional(),
    /** As in a container's deploy: another image behind the same tag by now is refused. */
    expectedImage: z.string().max(100).optional(),
  }),
  named.extend({ act: z.literal("restart") }),
  named.extend({ act: z.literal("availability"), availability: z.enum(["active", "pause", "drain"]) }),
]);
export type SwarmInput = z.infer<typeof swarmInput>;

export const swarmPlan = z.object({
  host: z.string(),
  act: z.enum(swarmActs),
  id: z.string(),
  name: z.string(),
  version: z.int(),
  /** What it is and will be: replicas, image or availability. */
  from: z.string(),
  to: z.string(),
  /** Tasks that run on the node, or of the service, now. */
  tasks: z.int(),
  level: changeLevel,
  /** The service's ForceUpdate that is wanted: how a lost answer to our own question is known. */
  force: z.int().default(0),
  /** Of a deploy from a registry or the host: the image, and what it brings. */
  target: imageTarget.nullable().default(null),
  env: imageChanges.env.default(null),
  labels: imageChanges.labels.default(null),
  /** Of a deploy that goes back: before which change it was so, and what else of its description differs, by path. */
  kept: z.int().nullable().default(null),
  differs: z.array(z.string()).default([]),
});
export type SwarmPlan = z.infer<typeof swarmPlan>;

export const swarmEvidence = z.object({
  outcome: z.enum(["asWanted", "otherwise", "deployed", "rolledBack", "paused"]),
  now: z.string(),
  message: z.string(),
  running: z.int(),
  desired: z.int(),
  /** The change whose number the description of before is kept under; null when nothing was replaced. */
  kept: z.int().nullable().default(null),
  /** Why tasks failed since it began, newest first. */
  errors: z.array(
    z.object({ task: z.string(), node: z.string(), error: z.string(), exitCode: z.int().nullable() }),
  ),
});
export type SwarmEvidence = z.infer<typeof swarmEvidence>;

/** What can be deployed for a service of a Swarm: its repository's tags, and how it was before earlier deploys. */
export const swarmChoices = deployChoices.omit({ earlier: true }).extend({
  earlier: z.array(z.object({ kept: z.int(), at: z.iso.datetime(), image: z.string() })),
});
export type SwarmChoices = z.infer<typeof swarmChoices>;

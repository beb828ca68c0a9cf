// What a Varnish node tells of itself, as the API answers it: each part on its own, so that one that fails blanks no other.
import * as z from "zod";
import { toldProblem } from "../../errors/contract";

const part = <T extends z.ZodType>(data: T) =>
  z.discriminatedUnion("state", [
    z.object({ state: z.literal("ok"), data }),
    z.object({ state: z.literal("failed"), problem: toldProblem }),
  ]);
export type Part<T> =
  | { readonly state: "ok"; readonly data: T }
  | { readonly state: "failed"; readonly problem: z.infer<typeof toldProblem> };

const count = z.number().nullable();

export const nodeFacts = z.object({
  node: z.string(),
  at: z.iso.datetime(),
  daemon: part(
    z.object({
      version: z.string().nullable(),
      /** Varnish's word for the child's state: running, stopped, … */
      state: z.string(),
      master: z.int(),
      worker: z.int().nullable(),
    }),
  ),
  vcls: part(
    z.array(
      z.object({
        name: z.string(),
        /** active, available, discarded. */
        status: z.string(),
        /** auto, cold, warm, label. */
        state: z.string(),
        temperature: z.string(),
        /** Requests and sessions that hold it. */
        busy: z.number(),
        /** The labels that point at it. */
        labels: z.array(z.string()),
        /** Of a label: what it points at. */
        target: z.string().nullable(),
      }),
    ),
  ),
  backends: part(
    z.array(
      z.object({
        name: z.string(),
        /** "backend", or a director's kind. */
        type: z.string(),
        healthy: z.boolean(),
        /** "probe", or the health that somebody set by hand. */
        admin: z.string(),
        /** Good ones among the looks (or a director's backends) that count; null without a probe. */
        good: count,
        of: count,
        threshold: count,
        /** Milliseconds. */
        averageMs: count,
        changedAt: z.iso.datetime().nullable(),
        /** The probe's last looks, the newest last. */
        looks: z.array(z.enum(["good", "bad", "none"])),
      }),
    ),
  ),
  bans: part(
    z.object({
      total: z.int(),
      completed: z.int(),
      /** The newest ones. */
      rows: z.array(
        z.object({
          at: z.iso.datetime(),
          /** Objects that were last tested against it. */
          refs: z.number(),
          completed: z.boolean(),
          /** Empty once it is completed. */
          spec: z.string(),
          /** Names req.*: the lurker cannot work it off. */
          onRequest: z.boolean(),
        }),
      ),
    }),
  ),
  parameters: part(
    z.object({
      changed: z.array(
        z.object({ name: z.string(), value: z.string(), default: z.string(), units: z.string() }),
      ),
      /** Those by which a VCL could run any program; `locked`: by varnishd -r. */
      dangerous: z.array(z.object({ name: z.string(), on: z.boolean().nullable(), locked: z.boolean() })),
    }),
  ),
  storage: part(z.array(z.object({ name: z.string(), kind: z.string() }))),
  /** The last panic's words, in English; null when there was none. */
  panic: part(z.string().nullable()),
  /** Null where no exporter is configured. Counts are since the child's start, uptimes in seconds. */
  counters: part(
    z.object({
      hits: count,
      misses: count,
      hitPasses: count,
      requests: count,
      objects: count,
      expired: count,
      nuked: count,
      threads: count,
      threadsLimited: count,
      threadsFailed: count,
      sessionsDropped: count,
      backendFailed: count,
      backendUnhealthy: count,
      fetchFailed: count,
      vclFailed: count,
      bans: count,
      bansRequest: count,
      purges: count,
      childPanics: count,
      childUptime: count,
      managerUptime: count,
      /** Bytes, by the storage's name in lower case. */
      rooms: z.array(z.object({ name: z.string(), used: z.number(), free: z.number() })),
    }),
  ).nullable(),
});
export type NodeFacts = z.infer<typeof nodeFacts>;

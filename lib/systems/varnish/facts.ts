// What a Varnish node tells of itself: by its CLI in JSON (text columns differ between versions), and by its exporter's page.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { maskedText } from "../../errors/mask";
import { sumOf } from "../exposition";
import { command, type VarnishAdmin } from "./cli";
import { metricsOf, type WatchedNode } from "./probe";

/** A -j answer: [version, [argv], epoch, …items], the items checked. Throws as `command`. */
async function answered<T>(
  node: VarnishAdmin,
  verb: string,
  args: readonly string[],
  item: z.ZodType<T>,
  signal?: AbortSignal,
): Promise<T[]> {
  const text = await command(node, verb, args, signal);
  let answer: unknown;
  try {
    // 64 bits are more than a number of JavaScript holds: they are read as text.
    answer = JSON.parse(text.replace(/"(bits_\w)": (\d+)/g, '"$1": "$2"'));
  } catch {
    answer = undefined;
  }
  const checked = z.tuple([z.number(), z.array(z.string()), z.number()], item).safeParse(answer);
  if (!checked.success) {
    throw new AppError("BAD_ANSWER", `${node.name}'s answer to ${verb} is not understood.`, {
      problem: "varnish.cliAnswer",
      params: { node: node.name, address: node.admin ?? node.admin_listen ?? "", verb },
    });
  }
  return checked.data.slice(3) as T[];
}

/** Whether an error is Varnish's own refusal with this status. */
const refusedWith = (error: unknown, ...status: number[]): boolean =>
  error instanceof AppError &&
  error.code === "REFUSED" &&
  status.includes(Number(error.detail.params?.status));

const vclRow = z.object({
  name: z.string(),
  status: z.string(),
  state: z.string(),
  temperature: z.string(),
  /** Without its child, the manager does not say it. */
  busy: z.number().default(0),
  label: z.object({ name: z.string() }).optional(),
});
/** `busy`: requests and sessions that hold it; `labels`: which point at it; `target`: what this one points at, where it is a label. */
export type VclFact = {
  readonly name: string;
  readonly status: string;
  readonly state: string;
  readonly temperature: string;
  readonly busy: number;
  readonly labels: string[];
  readonly target: string | null;
};

/** The VCLs that are loaded, and the labels. Throws as `command`. */
export async function vclFacts(node: VarnishAdmin, signal?: AbortSignal): Promise<VclFact[]> {
  const rows = await answered(node, "vcl.list", ["-j"], vclRow, signal);
  return rows.map(({ name, status, state, temperature, busy, label }) => ({
    name,
    status,
    state,
    temperature,
    busy,
    labels: rows.filter((one) => one.label?.name === name).map((one) => one.name),
    target: label?.name ?? null,
  }));
}

const bits = z.string().optional();
const probeDetails = z.object({
  bits_4: bits,
  bits_6: bits,
  bits_U: bits,
  bits_X: bits,
  bits_R: bits,
  bits_H: bits,
  threshold: z.number().optional(),
  window: z.number().optional(),
});
const backendRow = z.record(
  z.string(),
  z.object({
    type: z.string(),
    admin_health: z.string(),
    /** [good looks, looks, "healthy" or "sick"], or the word alone. */
    probe_message: z.union([z.string(), z.tuple([z.number(), z.number(), z.string()])]),
    probe_details: probeDetails.optional(),
    last_change: z.number().optional(),
  }),
);
/** One look of a probe. `none`: from before the first one that we can tell. */
export type ProbeLook = "good" | "bad" | "none";
export type BackendFact = {
  readonly name: string;
  /** "backend", or a director's kind ("round-robin"). */
  readonly type: string;
  readonly healthy: boolean;
  /** "probe", or what somebody set by hand. */
  readonly admin: string;
  /** Good ones and all that count: of the window's looks, or of a director's backends; null without a probe. */
  readonly good: number | null;
  readonly of: number | null;
  /** So many good looks of the window make it healthy. */
  readonly threshold: number | null;
  /** Average time of good answers to the probe, in ms. */
  readonly averageMs: number | null;
  /** UTC ms. */
  readonly changedAt: number | null;
  /** The last 64 looks, the newest last; empty without a probe. */
  readonly looks: ProbeLook[];
};

const lookBits = 64;

/** The last looks of a probe from its bit maps (newest: the lowest bit). Varnish has no bit for "looked": what is unset before the first set bit is unknown, but in the window it counts as bad. */
export function looksOf(details: z.infer<typeof probeDetails>): ProbeLook[] {
  if (details.bits_H === undefined) return [];
  const happy = BigInt(details.bits_H);
  const { bits_4, bits_6, bits_U, bits_X, bits_R } = details;
  const any = [bits_4, bits_6, bits_U, bits_X, bits_R].reduce((all, one) => all | BigInt(one ?? 0), happy);
  return Array.from({ length: lookBits }, (_, index): ProbeLook => {
    const age = lookBits - 1 - index;
    if ((happy >> BigInt(age)) & 1n) return "good";
    return any >> BigInt(age) > 0n || age < (details.window ?? 0) ? "bad" : "none";
  });
}

/** The averages of `backend.list -p` by backend, in ms: only its text has them. */
export function averagesOf(text: string): Map<string, number> {
  const found = new Map<string, number>();
  let name = "";
  for (const line of text.split("\n")) {
    name = /^(\S+)/.exec(line)?.[1] ?? name;
    const average = /Average response time of good probes:\s+([\d.]+)/.exec(line)?.[1];
    // 0 is what it says when there was no good one.
    if (average !== undefined && Number(average) > 0) found.set(name, Number(average) * 1000);
  }
  return found;
}

/** The backends of the warm VCLs with what their probes saw. Throws as `command`. */
export async function backendFacts(node: VarnishAdmin, signal?: AbortSignal): Promise<BackendFact[]> {
  const rows = await answered(node, "backend.list", ["-j", "-p"], backendRow, signal);
  const averages = averagesOf(await command(node, "backend.list", ["-p"], signal));
  return rows
    .flatMap((row) => Object.entries(row))
    .map(([name, { type, admin_health, probe_message, probe_details, last_change }]) => {
      const [good, of, told] =
        typeof probe_message === "string" ? [null, null, probe_message] : probe_message;
      const probed = of !== null && of > 0;
      return {
        name,
        type,
        healthy: (admin_health === "probe" ? told : admin_health) !== "sick",
        admin: admin_health,
        good: probed ? good : null,
        of: probed ? of : null,
        threshold: probe_details?.threshold ?? null,
        averageMs: averages.get(name) ?? null,
        changedAt: last_change === undefined ? null : Math.round(last_change * 1000),
        looks: probe_details === undefined ? [] : looksOf(probe_details),
      };
    });
}

const parameterRow = z.object({
  name: z.string(),
  value: z.union([z.string(), z.number(), z.boolean()]),
  units: z.string().optional(),
  default: z.string().optional(),
  flags: z.array(z.string()).default([]),
});
export type ParameterFact = {
  readonly name: string;
  readonly value: string;
  readonly default: string;
  /** Varnish's own word, or an empty text. */
  readonly units: string;
};
/** A parameter by which a VCL could run any program. `on`: null where it is no switch. `locked`: varnishd -r keeps it as it is. */
export type DangerousFact = { readonly name: string; readonly on: boolean | null; readonly locked: boolean };

/** What `varnishd -r` should hold. */
const dangerous = ["cc_command", "vcc_allow_inline_c", "vmod_path"];

/** The parameters that are not at their default, and those that should be locked, as far as this version has them. Throws as `command`. */
export async function parameterFacts(
  node: VarnishAdmin,
  signal?: AbortSignal,
): Promise<{ changed: ParameterFact[]; dangerous: DangerousFact[] }> {
  const changed = await answered(node, "param.show", ["-j", "changed"], parameterRow, signal);
  const risks: DangerousFact[] = [];
  for (const name of dangerous) {
    try {
      const [one] = await answered(node, "param.show", ["-j", name], parameterRow, signal);
      if (one)
        risks.push({
          name,
          on: typeof one.value === "boolean" ? one.value : null,
          locked: one.flags.includes("protected"),
        });
    } catch (error) {
      // Another version calls it otherwise.
      if (!refusedWith(error, 106)) throw error;
    }
  }
  return {
    changed: changed.map((one) => ({
      name: one.name,
      value: typeof one.value === "boolean" ? (one.value ? "on" : "off") : String(one.value),
      default: one.default ?? "",
      units: one.units === "bool" ? "" : (one.units ?? ""),
    })),
    dangerous: risks,
  };
}

export type StorageFact = { readonly name: string; readonly kind: string };

/** The storage, by name and kind. Throws as `command`. */
export async function storageFacts(node: VarnishAdmin, signal?: AbortSignal): Promise<StorageFact[]> {
  try {
    const row = z.object({ name: z.string(), storage: z.string() });
    const rows = await answered(node, "storage.list", ["-j"], row, signal);
    return rows.map(({ name, storage }) => ({ name, kind: storage }));
  } catch (error) {
    // Older ones take no -j here.
    if (!refusedWith(error, 105, 106)) throw error;
    const text = await command(node, "storage.list", [], signal);
    return [...text.matchAll(/storage\.(\S+) = (\S+)/g)].map(([, name = "", kind = ""]) => ({ name, kind }));
  }
}

/** The words of the child's last panic, or null when there was none; what looks like a secret is taken out. Throws as `command`. */
export async function panicFact(node: VarnishAdmin, signal?: AbortSignal): Promise<string | null> {
  try {
    return maskedText(await command(node, "panic.show", [], signal)).trim();
  } catch (error) {
    // "Child has not panicked or panic has been cleared": the usual answer.
    if (refusedWith(error, 300)) return null;
    throw error;
  }
}

const counted = {
  hits: "varnish_main_cache_hit",
  misses: "varnish_main_cache_miss",
  hitPasses: "varnish_main_cache_hitpass",
  requests: "varnish_main_client_req",
  objects: "varnish_main_n_object",
  expired: "varnish_main_n_expired",
  nuked: "varnish_main_n_lru_nuked",
  threads: "varnish_main_threads",
  threadsLimited: "varnish_main_threads_limited",
  threadsFailed: "varnish_main_threads_failed",
  backendFailed: "varnish_main_backend_fail",
  backendUnhealthy: "varnish_main_backend_unhealthy",
  vclFailed: "varnish_main_vcl_fail",
  bans: "varnish_main_bans",
  bansRequest: "varnish_main_bans_req",
  purges: "varnish_main_n_purges",
  childPanics: "varnish_mgt_child_panic",
  childUptime: "varnish_main_uptime",
  managerUptime: "varnish_mgt_uptime",
} as const;
export type CounterName = keyof typeof counted | "sessionsDropped" | "fetchFailed";
/** Bytes of a storage, by its name in lower case. */
export type StorageRoom = { readonly name: string; readonly used: number; readonly free: number };

/** The node's counters since its child's start (uptimes in s); null where the exporter does not have one. Throws AppError. */
export async function counterFacts(
  node: WatchedNode,
  metrics: string,
): Promise<{ counters: Record<CounterName, number | null>; rooms: StorageRoom[] }> {
  const read = await metricsOf(node, metrics);
  const main = Object.fromEntries(
    Object.entries(counted).map(([name, metric]) => [name, sumOf(read, metric)]),
  ) as Record<keyof typeof counted, number | null>;
  return {
    counters: {
      ...main,
      sessionsDropped: sumOf(read, "varnish_main_sessions", { type: "dropped" }),
      fetchFailed: sumOf(read, "varnish_main_fetch", { type: "failed" }),
    },
    rooms: ["sma", "smf", "smu"].flatMap((kind) =>
      (read.get(`varnish_${kind}_g_bytes`) ?? []).map(({ labels, value }) => ({
        name: labels.type ?? "",
        used: value,
        free: sumOf(read, `varnish_${kind}_g_space`, labels) ?? 0,
      })),
    ),
  };
}

// What the overview says in plain sentences: how visitors fare, and what wants a look, worst first.
import type { Tone } from "@/components/ui/status";
import type { Component, HealthState } from "@/lib/health/contract";

export const stateTone = {
  down: "down",
  disagree: "warn",
  unknown: "unknown",
  warn: "warn",
  up: "up",
} satisfies Record<HealthState, Tone>;
const rank: Record<HealthState, number> = { down: 0, disagree: 1, warn: 2, unknown: 3, up: 4 };

/** How visitors fare: by the sites where there are any, else by the way in. */
export function visitorsOf(components: readonly Component[]): "fine" | "cached" | "errors" | "unknown" {
  const sites = components.filter(({ layer }) => layer === "site");
  const layers = ["edge", "router", "cache", "web", "app"];
  const doors =
    sites.length > 0
      ? sites
      : components.filter(
          ({ layer }) => layer === layers.find((one) => components.some((other) => other.layer === one)),
        );
  if (doors.length === 0 || doors.every(({ state }) => state === "unknown")) return "unknown";
  if (doors.some(({ state }) => state === "down")) return "errors";
  // A site that answers at its edge and fails at its origin.
  return sites.some(({ state }) => state === "warn") ? "cached" : "fine";
}

export type Need = {
  readonly component: Component;
  /** What fails for it. */
  readonly affected: readonly Component[];
};

/** What wants a look, worst and oldest first; what fails for something deeper is folded under that. */
export function needsOf(components: readonly Component[]): Need[] {
  const bad = components.filter(({ state }) => state !== "up" && state !== "unknown");
  const causes = new Set(bad.map(({ key }) => key));
  return bad
    .filter(({ cause }) => cause === null || !causes.has(cause))
    .map((component) => ({ component, affected: bad.filter(({ cause }) => cause === component.key) }))
    .sort(
      (a, b) =>
        rank[a.component.state] - rank[b.component.state] ||
        a.component.since.localeCompare(b.component.since),
    );
}

export const healthAddress = ({ kind, name }: Pick<Component, "kind" | "name">): string =>
  `/health/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`;

/** The kind and name of "redis/cache". */
export function partsOf(key: string): { kind: string; name: string } {
  const [kind = "", name = ""] = key.split("/");
  return { kind, name };
}

// History's filters as they stand in the address, so that a link says the same to everybody.
import { addressAt } from "@/components/ui/address-at";
import type { ChangeFilter } from "@/lib/changes/contract";

export const filterNames = [
  "search",
  "state",
  "outcome",
  "kind",
  "site",
  "actor",
  "target",
  "from",
  "to",
] as const;
export type FilterName = (typeof filterNames)[number];

const states = [
  "planned",
  "running",
  "verifying",
  "done",
  "failed",
  "cancelled",
  "undone",
  "interrupted",
] as const;

/** A day "2026-11-23" of the reader's own zone as an instant; its last one with `end`. Null for anything else. */
function instant(day: string, end: boolean): string | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return null;
  const at = new Date(`${day}T${end ? "23:59:59.999" : "00:00:00"}`);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** What the address asks for; what cannot be understood is left out. */
export function filterOf(params: URLSearchParams): ChangeFilter {
  const filter: ChangeFilter = {};
  for (const name of ["kind", "actor", "target", "site", "outcome", "search"] as const) {
    const value = params.get(name)?.trim().slice(0, 200);
    if (value) filter[name] = value;
  }
  const state = states.find((one) => one === params.get("state"));
  if (state) filter.state = state;
  const from = instant(params.get("from") ?? "", false);
  const to = instant(params.get("to") ?? "", true);
  if (from) filter.from = from;
  if (to) filter.to = to;
  return filter;
}

/** The same address with one filter changed; an empty value takes it away. */
export const withFilter: (params: URLSearchParams, name: FilterName, value: string) => string =
  addressAt("/history");

/** Where the same selection is had as a file. */
export function exportAddress(filter: ChangeFilter, format: "csv" | "json"): string {
  const params = new URLSearchParams({ format });
  for (const [name, value] of Object.entries(filter)) if (typeof value === "string") params.set(name, value);
  return `/api/v1/changes/export?${params}`;
}

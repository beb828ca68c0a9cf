// The purge doctor: harmless canaries through one node or Cloudflare that find why purges would not work.
import type { Actor } from "@/lib/changes/kind";
import type { DoctorFinding } from "./contract";

/** Examines one system. Throws AppError FORBIDDEN, NOT_FOUND. */
export async function runDoctor(
  _kind: "varnish" | "cloudflare",
  _name: string,
  _site: string | undefined,
  _actor: Actor,
): Promise<DoctorFinding[]> {
  return [];
}

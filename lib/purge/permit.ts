// Who may purge what.
import type { Actor, Role } from "@/lib/changes/kind";
import { AppError } from "@/lib/errors/app-error";
import type { PurgeTarget } from "./contract";

const rank: Record<Role, number> = { viewer: 0, editor: 1, operator: 2, admin: 3 };

const forbid = (problem: string, message: string, params: Record<string, string> = {}) =>
  new AppError("FORBIDDEN", message, { problem, params });

/**
 * Editors purge addresses of their own sites; areas (prefix, tag, site) and everything are an operator's. Which sites is
 * checked where addresses are read. Throws AppError FORBIDDEN.
 */
export function permitPurge(target: PurgeTarget, actor: Actor): void {
  if (actor.scopes !== null && !actor.scopes.includes("purge") && !actor.scopes.includes("all")) {
    throw forbid("purge.scope", "This API key may not purge.");
  }
  if (rank[actor.role] < rank.editor)
    throw forbid("purge.role", "A viewer may not purge.", { role: actor.role });
  if (target.by === "url") return;
  if (rank[actor.role] < rank.operator) {
    throw forbid("purge.urlsOnly", "An editor purges page addresses only; ask an operator for more.", {
      by: target.by,
    });
  }
  if (target.by === "everything" && actor.sites !== null) {
    throw forbid("purge.everythingOwn", "Everything may only be purged by who may purge every site.");
  }
  if ("site" in target && actor.sites !== null && !actor.sites.includes(target.site)) {
    throw forbid("site.notYours", `The site ${target.site.slice(0, 100)} is not one of yours.`, {
      site: target.site.slice(0, 100),
    });
  }
}

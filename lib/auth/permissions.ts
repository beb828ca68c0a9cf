// What an actor may do: roles, sites and an API key's scopes. Each check throws FORBIDDEN or returns.
import type { Actor, Role } from "../changes/kind";
import { AppError } from "../errors/app-error";

export type Scope = "read" | "purge" | "all";

const rank: Readonly<Record<Role, number>> = { viewer: 0, editor: 1, operator: 2, admin: 3 };

/** Whether `actor` has `role` or a higher one. */
export function hasRole(actor: Actor, role: Role): boolean {
  return rank[actor.role] >= rank[role];
}

/** Whether `actor` may act on `site`. */
export function hasSite(actor: Actor, site: string): boolean {
  return actor.sites === null || actor.sites.includes(site);
}

/** Throws FORBIDDEN unless `actor` has `role` or a higher one. */
export function requireRole(actor: Actor, role: Role): void {
  if (hasRole(actor, role)) return;
  throw new AppError("FORBIDDEN", `This needs the role ${role}; yours is ${actor.role}.`, {
    problem: "auth.role",
    params: { role, yours: actor.role },
  });
}

/** Throws FORBIDDEN unless `actor` may act on `site`. */
export function requireSite(actor: Actor, site: string): void {
  if (hasSite(actor, site)) return;
  throw new AppError("FORBIDDEN", `The site ${site} is not one of yours.`, {
    problem: "auth.site",
    params: { site },
  });
}

/** Throws FORBIDDEN unless `actor` is a person, or a key with one of `scopes` or "all". */
export function requireScope(actor: Actor, ...scopes: readonly Scope[]): void {
  if (actor.scopes === null) return;
  if (actor.scopes.some((scope) => scope === "all" || scopes.includes(scope))) return;
  throw new AppError(
    "FORBIDDEN",
    `This API key may not do this: it needs the scope ${scopes.join(" or ")}.`,
    {
      problem: "auth.scope",
      params: { scope: scopes[0] ?? "all" },
    },
  );
}

/** Throws FORBIDDEN for API keys: users and keys are administered by people. */
export function requirePerson(actor: Actor): void {
  if (actor.type === "user") return;
  throw new AppError("FORBIDDEN", "Only a person who is signed in may do this, not an API key.", {
    problem: "auth.person",
  });
}

// What every procedure stands on: who calls, whether they may, and errors in one shape.
import { implement } from "@orpc/server";
import { isCrossSite } from "../auth/origin";
import { requirePerson, requireRole, requireScope } from "../auth/permissions";
import { type Identity, identityOf } from "../auth/session";
import type { Actor } from "../changes/kind";
import { AppError } from "../errors/app-error";
import { instruments } from "../metrics/instruments";
import { contract } from "./contract";
import { crossSiteRefusal, toApiError } from "./errors";
import { type Policy, policyOf } from "./policy";

/** What a handler is given with each request. */
export type ApiContext = {
  readonly headers: Headers;
  readonly requestId: string;
  /** Whether this call could change something, as far as its HTTP method tells. */
  readonly unsafe: boolean;
};

/** The context of a request. RPC sends everything by POST. */
export function contextOf(request: Request): ApiContext {
  return {
    headers: request.headers,
    requestId: crypto.randomUUID(),
    unsafe: request.method !== "GET" && request.method !== "HEAD",
  };
}

/** The caller, once this policy lets them in. Throws UNAUTHENTICATED or FORBIDDEN. */
export async function admit(policy: Policy | null, context: ApiContext): Promise<Identity> {
  const identity = await identityOf(context.headers);
  if (identity === null) {
    throw new AppError("UNAUTHENTICATED", "Sign in, or send an API key that is good.", {
      problem: "auth.signIn",
    });
  }
  if (context.unsafe && identity.via === "session" && isCrossSite(context.headers)) throw crossSiteRefusal();
  if (policy === null) throw new AppError("FORBIDDEN", "Nobody may call this: it has no policy.");
  if (identity.user.mustChangePassword && policy.beforePasswordChange !== true) {
    throw new AppError("FORBIDDEN", "Change your one-time password first.", {
      problem: "auth.changePassword",
    });
  }
  if (policy.keys === "person") requirePerson(identity.actor);
  else requireScope(identity.actor, ...policy.keys);
  requireRole(identity.actor, policy.role);
  return identity;
}

/** The contract, to be implemented: each handler's context has the actor, who is already admitted. */
export const os = implement(contract)
  .$context<ApiContext>()
  .use(async ({ context, next, path }) => {
    const procedure = path.join(".");
    try {
      const identity = await admit(policyOf(path), context);
      const answer = await next({ context: { identity, actor: identity.actor } });
      instruments().requests.inc({ procedure, outcome: "ok" });
      return answer;
    } catch (thrown) {
      const error = toApiError(thrown, context.requestId);
      instruments().requests.inc({ procedure, outcome: error.code });
      throw error;
    }
  });

/** Throws FORBIDDEN when a change is of sites that this actor is not given. */
export function requireVisible(
  actor: Actor,
  change: { readonly site: string | null; readonly plan: unknown },
): void {
  if (isVisible(actor, change.site, sitesOf(change.plan))) return;
  throw new AppError("FORBIDDEN", "This change is of a site that is not one of yours.", {
    problem: "auth.otherSite",
  });
}

/** Whether an actor may see a change of `site`; of several (null), when all of `sites` are theirs. */
export function isVisible(actor: Actor, site: string | null, sites: readonly string[] = []): boolean {
  const own = actor.sites;
  if (own === null) return true;
  if (site !== null) return own.includes(site);
  return sites.length > 0 && sites.every((one) => own.includes(one));
}

function sitesOf(plan: unknown): string[] {
  if (typeof plan !== "object" || plan === null || !("sites" in plan) || !Array.isArray(plan.sites))
    return [];
  return plan.sites.filter((site): site is string => typeof site === "string");
}

// Who sends a request: a person by session cookie, or an API key in its maker's name.
import * as z from "zod";
import type { User } from "@/generated/prisma/client";
import type { Actor } from "../changes/kind";
import { db } from "../db/client";
import { log } from "../runtime/log";
import { role as roleSchema } from "../users/contract";
import { findKey, keyOf } from "./api-keys";
import { auth } from "./auth";

export type Identity = {
  readonly actor: Actor;
  readonly user: User;
  /** A cookie travels by itself, so what it sends must be shown to come from our own pages; a key does not. */
  readonly via: "session" | "key";
  readonly sessionId: string | null;
};

const siteList = z.array(z.string());
/** "Last seen" is written at most this often, in ms. */
const seenEveryMs = 60_000;

/** Who sends this, or null. A request with a key that is not good is nobody's, whatever cookies it has. */
export async function identityOf(headers: Headers): Promise<Identity | null> {
  const key = keyOf(headers);
  return key === null ? bySession(headers) : byKey(key);
}

/** The same as an Actor. */
export async function actorOf(headers: Headers): Promise<Actor | null> {
  return (await identityOf(headers))?.actor ?? null;
}

async function bySession(headers: Headers): Promise<Identity | null> {
  if (!headers.has("cookie")) return null;
  const found = await auth().api.getSession({ headers });
  if (found === null) return null;
  // Read anew, so that a role that was taken away or a ban holds from the next request on.
  const user = await db().user.findUnique({ where: { id: found.user.id } });
  if (user === null || user.banned) return null;
  if (Date.now() - (user.lastSeenAt?.getTime() ?? 0) > seenEveryMs) {
    noteQuietly(db().user.updateMany({ where: { id: user.id }, data: { lastSeenAt: new Date() } }));
  }
  return {
    actor: { ...common(user), type: "user", id: user.id, name: user.name, scopes: null },
    user,
    via: "session",
    sessionId: found.session.id,
  };
}

async function byKey(key: string): Promise<Identity | null> {
  const row = await findKey(key);
  if (row === null) return null;
  if (Date.now() - (row.lastUsedAt?.getTime() ?? 0) > seenEveryMs) {
    noteQuietly(db().apiKey.updateMany({ where: { id: row.id }, data: { lastUsedAt: new Date() } }));
  }
  const maker = common(row.user);
  const own = row.sites === null ? null : siteList.parse(JSON.parse(row.sites));
  const sites = own === null ? maker.sites : own.filter((site) => maker.sites?.includes(site) ?? true);
  const scope = z.enum(["read", "purge", "all"]).parse(row.scope);
  return {
    actor: {
      role: maker.role,
      sites,
      type: "apikey",
      id: row.id,
      name: `${row.user.name} (${row.name})`,
      scopes: [scope],
    },
    user: row.user,
    via: "key",
    sessionId: null,
  };
}

/** Role and sites of a user; only editors are bound to sites. */
function common(user: User): Pick<Actor, "role" | "sites"> {
  const role = roleSchema.parse(user.role);
  return { role, sites: role === "editor" ? siteList.parse(JSON.parse(user.sites)) : null };
}

function noteQuietly(write: Promise<unknown>): void {
  write.catch((error: unknown) => log.warn({ err: error }, "the time of last use could not be noted"));
}

// Users, as administrators see them, and everybody's own API keys.
import * as z from "zod";
import type { ApiKey, User } from "@/generated/prisma/client";
import { newKey } from "../auth/api-keys";
import { oneTimePassword, passwordAccount } from "../auth/passwords";
import { hasRole } from "../auth/permissions";
import type { Identity } from "../auth/session";
import { config } from "../config/load";
import { db } from "../db/client";
import { AppError } from "../errors/app-error";
import { version } from "../runtime/version";
import {
  type apiKeyRow,
  type createdApiKey,
  keyScope,
  type Me,
  type newApiKey,
  type newUser,
  role as roleSchema,
  type UserRow,
  type updateUser as updateUserInput,
} from "./contract";

const siteList = z.array(z.string());
const dayMs = 86_400_000;
const maxKeys = 50;

/** Who is asking, and what the interface may offer them. */
export function describeMe({ actor, user }: Identity): Me {
  const mayPurge = actor.scopes === null || actor.scopes.some((scope) => scope !== "read");
  const mayAll = actor.scopes === null || actor.scopes.includes("all");
  return {
    id: user.id,
    name: actor.name,
    email: user.email,
    role: actor.role,
    sites: actor.sites === null ? null : [...actor.sites],
    twoFactorEnabled: user.twoFactorEnabled,
    mustChangePassword: user.mustChangePassword,
    may: {
      purgePages: mayPurge && hasRole(actor, "editor"),
      purgeWide: mayPurge && hasRole(actor, "operator"),
      operate: mayAll && hasRole(actor, "operator"),
      administer: actor.type === "user" && hasRole(actor, "admin"),
    },
    version: version(),
  };
}

export async function listUsers(): Promise<UserRow[]> {
  const users = await db().user.findMany({ orderBy: [{ name: "asc" }, { id: "asc" }] });
  return users.map(toUserRow);
}

/** Makes a user with a one-time password. Throws CONFLICT (address taken), INVALID_INPUT (unknown site). */
export async function createUser(
  input: z.infer<typeof newUser>,
): Promise<{ user: UserRow; password: string }> {
  checkSites(input.sites);
  const id = crypto.randomUUID();
  const email = input.email.toLowerCase();
  const password = oneTimePassword();
  const account = await passwordAccount(id, password);
  const user = await db().$transaction(async (tx) => {
    if ((await tx.user.findUnique({ where: { email } })) !== null) {
      throw new AppError("CONFLICT", `There is a user with the address ${email} already.`, {
        problem: "users.emailTaken",
        params: { email },
        field: "email",
      });
    }
    return tx.user.create({
      data: {
        id,
        name: input.name,
        email,
        // The administrator vouches for it, so that a provider's sign-in with the same address finds this user.
        emailVerified: true,
        role: input.role,
        sites: JSON.stringify(input.sites),
        mustChangePassword: true,
        accounts: { create: account },
      },
    });
  });
  return { user: toUserRow(user), password };
}

/** Changes a user; a ban ends all sessions. Throws NOT_FOUND, CONFLICT (oneself, or the last administrator). */
export async function updateUser(input: z.infer<typeof updateUserInput>, byId: string): Promise<UserRow> {
  const { id, name, role, sites, banned } = input;
  if (sites !== undefined) checkSites(sites);
  if (id === byId && (banned === true || (role !== undefined && role !== "admin"))) {
    throw new AppError("CONFLICT", "You cannot take your own administration away.", {
      problem: "users.self",
    });
  }
  const user = await db().$transaction(async (tx) => {
    const before = await tx.user.findUnique({ where: { id } });
    if (before === null) throw noUser(id);
    const keepsAdmin = (role ?? before.role) === "admin" && !(banned ?? before.banned);
    if (before.role === "admin" && !before.banned && !keepsAdmin) await requireOtherAdmin(tx, id);
    if (banned === true) await tx.session.deleteMany({ where: { userId: id } });
    return tx.user.update({
      where: { id },
      data: {
        ...(name === undefined ? {} : { name }),
        ...(role === undefined ? {} : { role }),
        ...(sites === undefined ? {} : { sites: JSON.stringify(sites) }),
        ...(banned === undefined ? {} : { banned }),
      },
    });
  });
  return toUserRow(user);
}

/** Removes a user with sessions and keys; their changes stay in history. Throws NOT_FOUND, CONFLICT. */
export async function removeUser(id: string, byId: string): Promise<void> {
  if (id === byId) throw new AppError("CONFLICT", "You cannot remove yourself.", { problem: "users.self" });
  await db().$transaction(async (tx) => {
    const before = await tx.user.findUnique({ where: { id } });
    if (before === null) throw noUser(id);
    if (before.role === "admin" && !before.banned) await requireOtherAdmin(tx, id);
    await tx.user.delete({ where: { id } });
  });
}

/**
 * Gives a new one-time password, ends all sessions and takes the second factor away (whoever asks for this has often
 * lost the phone). Throws NOT_FOUND, CONFLICT (oneself: change it under Account).
 */
export async function resetPassword(id: string, byId: string): Promise<{ password: string }> {
  if (id === byId) {
    throw new AppError("CONFLICT", "Change your own password under Settings / Account.", {
      problem: "users.ownPassword",
    });
  }
  const password = oneTimePassword();
  const account = await passwordAccount(id, password);
  await db().$transaction(async (tx) => {
    if ((await tx.user.findUnique({ where: { id } })) === null) throw noUser(id);
    await tx.session.deleteMany({ where: { userId: id } });
    await tx.twoFactor.deleteMany({ where: { userId: id } });
    await tx.account.deleteMany({ where: { userId: id, providerId: "credential" } });
    await tx.user.update({
      where: { id },
      data: { mustChangePassword: true, twoFactorEnabled: false, accounts: { create: account } },
    });
  });
  return { password };
}

/** A user's own keys, newest first; never the keys themselves. */
export async function listKeys(userId: string): Promise<z.infer<typeof apiKeyRow>[]> {
  const keys = await db().apiKey.findMany({
    where: { userId },
    orderBy: [{ createdAt: "desc" }, { id: "asc" }],
  });
  return keys.map(toKeyRow);
}

/** Makes a key that can do no more than its maker. Throws FORBIDDEN (a site that is not theirs), INVALID_INPUT, CONFLICT. */
export async function createKey(
  input: z.infer<typeof newApiKey>,
  { actor, user }: Identity,
): Promise<z.infer<typeof createdApiKey>> {
  if (input.sites !== undefined) {
    checkSites(input.sites);
    for (const site of input.sites) {
      if (actor.sites?.includes(site) !== false) continue;
      throw new AppError("FORBIDDEN", `The site ${site} is not one of yours.`, {
        problem: "auth.site",
        params: { site },
        field: "sites",
      });
    }
  }
  if ((await db().apiKey.count({ where: { userId: user.id } })) >= maxKeys) {
    throw new AppError("CONFLICT", `You have ${maxKeys} keys already: revoke one first.`, {
      problem: "keys.tooMany",
      params: { maximum: maxKeys },
    });
  }
  const { key, hash, start } = newKey();
  const row = await db().apiKey.create({
    data: {
      id: crypto.randomUUID(),
      userId: user.id,
      name: input.name,
      hash,
      start,
      scope: input.scope,
      sites: input.sites === undefined ? null : JSON.stringify(input.sites),
      expiresAt:
        input.expiresInDays === undefined ? null : new Date(Date.now() + input.expiresInDays * dayMs),
    },
  });
  return { key, row: toKeyRow(row) };
}

/** Revokes one of a user's own keys. Throws NOT_FOUND. */
export async function removeKey(id: string, userId: string): Promise<void> {
  const { count } = await db().apiKey.deleteMany({ where: { id, userId } });
  if (count === 0) {
    throw new AppError("NOT_FOUND", "You have no such key.", { problem: "keys.notFound" });
  }
}

function toUserRow(user: User): UserRow {
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    role: roleSchema.parse(user.role),
    sites: siteList.parse(JSON.parse(user.sites)),
    banned: user.banned,
    twoFactorEnabled: user.twoFactorEnabled,
    createdAt: user.createdAt.toISOString(),
    lastSeenAt: user.lastSeenAt?.toISOString() ?? null,
  };
}

function toKeyRow(key: ApiKey): z.infer<typeof apiKeyRow> {
  return {
    id: key.id,
    name: key.name,
    scope: keyScope.parse(key.scope),
    start: key.start,
    createdAt: key.createdAt.toISOString(),
    expiresAt: key.expiresAt?.toISOString() ?? null,
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
  };
}

function checkSites(sites: readonly string[]): void {
  const known = new Set(config().sites.map(({ name }) => name));
  const unknown = sites.find((site) => !known.has(site));
  if (unknown === undefined) return;
  throw new AppError("INVALID_INPUT", `There is no site ${unknown} in sluice.yaml.`, {
    problem: "users.unknownSite",
    params: { site: unknown.slice(0, 100) },
    field: "sites",
  });
}

type Transaction = Parameters<Parameters<ReturnType<typeof db>["$transaction"]>[0]>[0];

async function requireOtherAdmin(tx: Transaction, id: string): Promise<void> {
  if ((await tx.user.count({ where: { role: "admin", banned: false, id: { not: id } } })) > 0) return;
  throw new AppError("CONFLICT", "This is the last administrator: make another one first.", {
    problem: "users.lastAdmin",
  });
}

function noUser(id: string): AppError {
  return new AppError("NOT_FOUND", `There is no user ${id.slice(0, 100)}.`, { problem: "users.notFound" });
}

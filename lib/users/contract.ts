// Users, roles and API keys as the browser sees them.
import * as z from "zod";

export const role = z.enum(["viewer", "editor", "operator", "admin"]);
export const keyScope = z.enum(["read", "purge", "all"]);
export const me = z.object({
  id: z.string().nullable(),
  name: z.string(),
  email: z.string().nullable(),
  role,
  sites: z.array(z.string()).nullable(),
  twoFactorEnabled: z.boolean(),
  /** Signed in with a one-time password: everything else is refused until it is changed (POST /api/auth/change-password). */
  mustChangePassword: z.boolean(),
  /** What the interface may offer; the server checks each again. */
  may: z.object({
    purgePages: z.boolean(),
    purgeWide: z.boolean(),
    operate: z.boolean(),
    administer: z.boolean(),
  }),
  version: z.string(),
});
export type Me = z.infer<typeof me>;
export const userRow = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  role,
  sites: z.array(z.string()),
  banned: z.boolean(),
  twoFactorEnabled: z.boolean(),
  createdAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime().nullable(),
});
export type UserRow = z.infer<typeof userRow>;
export const newUser = z.object({
  name: z.string().min(1).max(100),
  email: z.email(),
  role,
  sites: z.array(z.string()).default([]),
});
export const updateUser = z.object({
  id: z.string(),
  name: z.string().min(1).max(100).optional(),
  role: role.optional(),
  sites: z.array(z.string()).optional(),
  banned: z.boolean().optional(),
});
export const newApiKey = z.object({
  name: z.string().min(1).max(80),
  scope: keyScope,
  sites: z.array(z.string()).optional(),
  expiresInDays: z.int().min(1).max(3650).optional(),
});
export const apiKeyRow = z.object({
  id: z.string(),
  name: z.string(),
  scope: keyScope,
  start: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  lastUsedAt: z.iso.datetime().nullable(),
});
export const createdApiKey = z.object({ key: z.string(), row: apiKeyRow });

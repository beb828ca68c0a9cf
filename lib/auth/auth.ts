// better-auth, set up: e-mail and password, second factor, sessions in our database; OIDC providers beside it.
import { type BetterAuthOptions, betterAuth } from "better-auth";
import { prismaAdapter } from "better-auth/adapters/prisma";
import { APIError, createAuthMiddleware, isAPIError } from "better-auth/api";
import { genericOAuth } from "better-auth/plugins/generic-oauth";
import { twoFactor } from "better-auth/plugins/two-factor";
import * as z from "zod";
import { config } from "../config/load";
import { db } from "../db/client";
import { AppError } from "../errors/app-error";
import { log } from "../runtime/log";
import { singleton } from "../runtime/singleton";
import { attemptRules, attempts } from "./attempts";
import { addressBucket } from "./client-address";
import { isOwnOrigin, isSecure, publicUrl } from "./origin";
import { maxPasswordLength, minPasswordLength } from "./passwords";
import { authSecret } from "./secret";

/** Where better-auth answers. */
export const authPath = "/api/auth";
/** Carries the client's address to better-auth, already judged (lib/auth/client-address.ts). */
export const clientHeader = "x-sluice-client";
/** How long a session lasts, in s. It is not prolonged: a stolen cookie ends as well. */
const sessionSeconds = 14 * 86_400;

/** Paths at which a secret can be guessed. */
const guessable = new Set([
  "/sign-in/email",
  "/change-password",
  "/verify-password",
  "/two-factor/enable",
  "/two-factor/disable",
  "/two-factor/verify-totp",
  "/two-factor/verify-backup-code",
  "/two-factor/generate-backup-codes",
  "/two-factor/get-totp-uri",
]);
const accountBody = z.object({ email: z.string() });
const passwordBody = z.object({ currentPassword: z.string(), newPassword: z.string() });
const changedPassword = z.object({ user: z.object({ id: z.string() }) });

/** How to take back what an attempt counted, once it turned out well. */
const refunds = new WeakMap<Headers, (() => void)[]>();

const before = createAuthMiddleware(async (ctx) => {
  if (ctx.headers !== undefined && guessable.has(ctx.path)) countAttempt(ctx.path, ctx.body, ctx.headers);
  if (ctx.path === "/change-password") {
    const body = passwordBody.safeParse(ctx.body);
    if (body.success && body.data.currentPassword === body.data.newPassword) {
      throw new APIError("BAD_REQUEST", {
        code: "PASSWORD_UNCHANGED",
        message: "The new password is the old one.",
      });
    }
  }
});

const after = createAuthMiddleware(async (ctx) => {
  if (isAPIError(ctx.context.returned)) return;
  if (ctx.headers !== undefined) for (const refund of refunds.get(ctx.headers) ?? []) refund();
  if (ctx.path !== "/change-password") return;
  const answer = changedPassword.safeParse(ctx.context.returned);
  if (answer.success) {
    await db().user.update({ where: { id: answer.data.user.id }, data: { mustChangePassword: false } });
  }
});

function countAttempt(path: string, body: unknown, headers: Headers): void {
  try {
    const address = addressBucket(headers.get(clientHeader) ?? "unknown");
    const taken = [attempts().take(`address ${address}`, attemptRules.address)];
    refunds.set(headers, taken);
    const account = accountBody.safeParse(body);
    if (path === "/sign-in/email" && account.success)
      taken.push(attempts().take(`account ${account.data.email.toLowerCase()}`, attemptRules.account));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const seconds = Math.ceil((error.detail.retryAfterMs ?? 0) / 1000);
    throw new APIError(
      "TOO_MANY_REQUESTS",
      { code: error.code, message: error.message, retryAfterSeconds: seconds },
      { "retry-after": String(seconds) },
    );
  }
}

function options(): BetterAuthOptions {
  return {
    appName: "Sluice",
    baseURL: publicUrl(),
    basePath: authPath,
    secret: authSecret(),
    database: prismaAdapter(db(), { provider: "sqlite" }),
    telemetry: { enabled: false },
    logger: {
      log: (level, message) => log[level === "warn" || level === "error" ? level : "debug"](message),
    },
    trustedOrigins: (request) => {
      const origin = request?.headers.get("origin");
      return origin && request && isOwnOrigin(origin, request.headers) ? [origin] : [];
    },
    // Our own count, by address and account, knows about failures only.
    rateLimit: { enabled: false },
    advanced: {
      cookiePrefix: "sluice",
      useSecureCookies: isSecure(),
      // Said aloud, because the library takes both away where it finds a test runner.
      disableCSRFCheck: false,
      disableOriginCheck: false,
      ipAddress: { ipAddressHeaders: [clientHeader] },
    },
    session: { expiresIn: sessionSeconds, disableSessionRefresh: true },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength,
      maxPasswordLength,
    },
    disabledPaths: ["/sign-up/email", "/request-password-reset", "/reset-password", "/two-factor/send-otp"],
    user: {
      additionalFields: {
        role: { type: "string", input: false },
        sites: { type: "string", input: false },
        locale: { type: "string", required: false, input: false },
        banned: { type: "boolean", input: false },
        mustChangePassword: { type: "boolean", input: false },
      },
    },
    databaseHooks: {
      session: {
        create: {
          before: async (session) => {
            const user = await db().user.findUnique({ where: { id: session.userId } });
            if (user === null || user.banned) {
              throw new APIError("FORBIDDEN", { code: "BANNED", message: "This account may not sign in." });
            }
          },
        },
      },
      user: {
        create: {
          // Only an OIDC provider's first sign-in makes a user here; ours are made in lib/users.
          before: async (user, ctx) => ({
            data: {
              ...user,
              role: providerRole(ctx?.params?.id),
              sites: "[]",
              banned: false,
              mustChangePassword: false,
            },
          }),
        },
      },
    },
    hooks: { before, after },
  };
}

function providerRole(provider: unknown): string {
  const known = config().auth.oidc.find(({ name }) => name === provider);
  if (known === undefined || known.default_role === "none") {
    throw new APIError("FORBIDDEN", {
      code: "UNKNOWN_USER",
      message: "Nobody here has this e-mail address.",
    });
  }
  return known.default_role;
}

const secondFactor = () => twoFactor({ issuer: "Sluice" });

function makeAuth() {
  return betterAuth({ ...options(), plugins: [secondFactor()] });
}

function makeOidcAuth() {
  return betterAuth({
    ...options(),
    plugins: [
      secondFactor(),
      genericOAuth({
        config: config().auth.oidc.map((provider) => ({
          providerId: provider.name,
          name: provider.title ?? provider.name,
          discoveryUrl: `${provider.issuer}/.well-known/openid-configuration`,
          requireIdTokenVerification: true,
          clientId: provider.client_id,
          clientSecret: provider.client_secret,
          scopes: ["openid", "email", "profile"],
          disableSignUp: provider.default_role === "none",
        })),
      }),
    ],
  });
}

type Made<A> = { readonly of: string; readonly auth: A };

/** The instance for the configuration in force: made anew when what it depends on has changed. */
function current<A>(key: string, make: () => A): A {
  const slot = singleton<{ made: Made<A> | null }>(key, () => ({ made: null }));
  const of = JSON.stringify([publicUrl(), config().auth]);
  if (slot.made?.of !== of) slot.made = { of, auth: make() };
  return slot.made.auth;
}

/** Sessions, passwords and second factors. */
export function auth(): ReturnType<typeof makeAuth> {
  return current("auth", makeAuth);
}

/**
 * The same with the providers of sluice.yaml. Apart, because it reads each provider's discovery document before its
 * first answer: a provider that hangs must not keep people with a password out.
 */
export function oidcAuth(): ReturnType<typeof makeOidcAuth> {
  return current("auth.oidc", makeOidcAuth);
}

/** Whether this path under /api/auth belongs to sign-in by a provider. */
export function isOidcPath(path: string): boolean {
  return /^\/(sign-in\/social|callback\/|link-social|error)/.test(path);
}

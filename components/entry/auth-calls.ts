// Sign-in and account calls: better-auth's own endpoints by plain fetch, so that no auth library comes into the browser.

/** A refused call, in the shape components/ui/problem.ts reads. */
export class AuthCallError extends Error {
  override readonly name = "AuthCallError";
  readonly code: string;
  readonly data: Record<string, unknown>;

  constructor(code: string, message: string, data: Record<string, unknown>) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

// better-auth's words for what can be mended at a field, as our problems.
const problems: Record<string, { readonly problem: string; readonly field?: string }> = {
  INVALID_EMAIL_OR_PASSWORD: { problem: "signIn.wrong", field: "password" },
  INVALID_EMAIL: { problem: "input.email", field: "email" },
  INVALID_PASSWORD: { problem: "signIn.wrongPassword", field: "password" },
  PASSWORD_TOO_SHORT: { problem: "signIn.passwordShort", field: "newPassword" },
  PASSWORD_TOO_LONG: { problem: "signIn.passwordLong", field: "newPassword" },
  PASSWORD_UNCHANGED: { problem: "signIn.passwordUnchanged", field: "newPassword" },
  INVALID_CODE: { problem: "signIn.wrongCode", field: "code" },
  INVALID_BACKUP_CODE: { problem: "signIn.wrongCode", field: "code" },
  INVALID_TWO_FACTOR_COOKIE: { problem: "signIn.codeExpired" },
  TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE: { problem: "signIn.codeExpired" },
  BANNED: { problem: "signIn.banned" },
  UNKNOWN_USER: { problem: "signIn.unknownUser" },
};

async function call(path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(path, {
    credentials: "same-origin",
    ...(body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const said: unknown = await answer.json().catch(() => ({}));
  const data =
    typeof said === "object" && said !== null && !Array.isArray(said)
      ? (said as Record<string, unknown>)
      : { list: said };
  if (answer.ok) return data;
  const code =
    typeof data.code === "string" ? data.code : answer.status === 429 ? "TOO_MANY_REQUESTS" : "INTERNAL";
  const known = problems[code];
  throw new AuthCallError(
    known ? "INVALID_INPUT" : code,
    typeof data.message === "string" ? data.message : "",
    {
      requestId: answer.headers.get("x-request-id"),
      ...data,
      code: undefined,
      ...known,
    },
  );
}

const auth = (path: string, body?: unknown) => call(`/api/auth${path}`, body);

/** Whether a second step (a code) is wanted. Throws AuthCallError. */
export async function signIn(email: string, password: string): Promise<"in" | "code"> {
  const answer = await auth("/sign-in/email", { email, password });
  return answer.twoFactorRedirect === true ? "code" : "in";
}

/** The second step: a code of the app, or one of the kept backup codes. */
export async function signInCode(code: string): Promise<void> {
  const digits = code.replace(/\s/g, "");
  await (/^\d{6}$/.test(digits)
    ? auth("/two-factor/verify-totp", { code: digits })
    : auth("/two-factor/verify-backup-code", { code: code.trim() }));
}

/** Where to go to sign in with a provider of sluice.yaml. */
export async function signInWith(provider: string, then: string): Promise<string> {
  const answer = await auth("/sign-in/social", { provider, callbackURL: then });
  if (typeof answer.url !== "string")
    throw new AuthCallError("BAD_ANSWER", "The provider gave no address.", {});
  return answer.url;
}

export async function signOut(): Promise<void> {
  await auth("/sign-out", {});
}

export async function setUp(input: {
  code: string;
  name: string;
  email: string;
  password: string;
}): Promise<void> {
  await call("/api/setup", input);
}

/** Changes the password and signs all other browsers out. */
export async function changePassword(currentPassword: string, newPassword: string): Promise<void> {
  await auth("/change-password", { currentPassword, newPassword, revokeOtherSessions: true });
}

export async function rename(name: string): Promise<void> {
  await auth("/update-user", { name });
}

/** Begins the second factor: the address for the app (otpauth://) and the backup codes, shown once. */
export async function beginSecondFactor(
  password: string,
): Promise<{ readonly uri: string; readonly backupCodes: readonly string[] }> {
  const answer = await auth("/two-factor/enable", { password });
  const codes = Array.isArray(answer.backupCodes)
    ? answer.backupCodes.filter((code) => typeof code === "string")
    : [];
  return { uri: typeof answer.totpURI === "string" ? answer.totpURI : "", backupCodes: codes };
}

/** The app's first code proves that it works: from now on it is asked for. */
export async function confirmSecondFactor(code: string): Promise<void> {
  await auth("/two-factor/verify-totp", { code: code.replace(/\s/g, "") });
}

export async function endSecondFactor(password: string): Promise<void> {
  await auth("/two-factor/disable", { password });
}

export type SessionRow = {
  readonly token: string;
  readonly userAgent: string;
  readonly createdAt: string;
  readonly ipAddress: string;
};

/** Every browser that is signed in as oneself. */
export async function sessions(): Promise<readonly SessionRow[]> {
  const { list } = await auth("/list-sessions");
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return (Array.isArray(list) ? list : []).map((row: Record<string, unknown>) => ({
    token: text(row.token),
    userAgent: text(row.userAgent),
    createdAt: text(row.createdAt),
    ipAddress: text(row.ipAddress),
  }));
}

export async function signOutElsewhere(): Promise<void> {
  await auth("/revoke-other-sessions", {});
}

// The first administrator: whoever can read the console (or the data directory) proves it with a one-time code.
import { createHash, timingSafeEqual } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { db } from "../db/client";
import { dataDirectory, ensureDataDirectory } from "../db/location";
import { AppError } from "../errors/app-error";
import { forgetSingleton, singleton } from "../runtime/singleton";
import { publicUrl } from "./origin";
import { checkNewPassword, passwordAccount, randomCode } from "./passwords";

const codeFile = (): string => join(dataDirectory(), "first-sign-in.txt");
const stateKey = "auth.firstAdmin";
/** SHA-256 of the code in force; null: there is an administrator, or none was asked for yet. */
const state = () => singleton<{ hash: Buffer | null }>(stateKey, () => ({ hash: null }));

/** Whether nobody can sign in yet, so that /setup is to be shown. */
export async function isSetupNeeded(): Promise<boolean> {
  return (await db().user.count()) === 0;
}

/**
 * At start: where there is no user, makes a new code, prints it by `print` and writes it to first-sign-in.txt (0600).
 * An older start's code is void from then on.
 */
export async function offerFirstSignIn(print: (text: string) => void): Promise<void> {
  if (!(await isSetupNeeded())) {
    withdraw();
    return;
  }
  const code = randomCode(4, 5);
  state().hash = digest(code);
  ensureDataDirectory();
  rmSync(codeFile(), { force: true });
  writeFileSync(codeFile(), `${code}\n`, { mode: 0o600, flag: "wx" });
  print(
    `\n  First sign-in: open ${publicUrl()}/setup\n  and give this code: ${code}\n` +
      `  (It works once, until Sluice is started again; it is in ${codeFile()} too.)\n\n`,
  );
}

/**
 * Makes the first administrator and returns the user's id. Of two simultaneous calls one wins.
 * Throws CONFLICT (there is a user already), FORBIDDEN (wrong code), INVALID_INPUT (password).
 */
export async function createFirstAdmin(input: {
  readonly code: string;
  readonly name: string;
  readonly email: string;
  readonly password: string;
}): Promise<string> {
  const { hash } = state();
  if (!(await isSetupNeeded())) throw alreadyDone();
  if (hash === null || !timingSafeEqual(hash, digest(input.code))) {
    throw new AppError("FORBIDDEN", "This is not the code that Sluice printed when it was last started.", {
      problem: "setup.wrongCode",
      field: "code",
    });
  }
  checkNewPassword(input.password);
  const id = crypto.randomUUID();
  const account = await passwordAccount(id, input.password);
  await db().$transaction(async (tx) => {
    // Transactions run one after the other: the second finds the first one's user.
    if ((await tx.user.count()) > 0) throw alreadyDone();
    await tx.user.create({
      data: {
        id,
        name: input.name,
        email: input.email.toLowerCase(),
        emailVerified: true,
        role: "admin",
        accounts: { create: account },
      },
    });
  });
  withdraw();
  return id;
}

function withdraw(): void {
  forgetSingleton(stateKey);
  rmSync(codeFile(), { force: true });
}

/** Case, spaces and dashes do not matter to somebody who types it from a console. */
function digest(code: string): Buffer {
  return createHash("sha256")
    .update(code.toUpperCase().replaceAll(/[^A-Z0-9]/g, ""))
    .digest();
}

function alreadyDone(): AppError {
  return new AppError("CONFLICT", "There is an administrator already: sign in instead.", {
    problem: "setup.done",
  });
}

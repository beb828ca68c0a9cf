// A whole Sluice without a port for tests: its own data directory and configuration, people with sessions, requests.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { passwordAccount } from "../auth/passwords";
import type { Role } from "../changes/kind";
import { closeDatabase, db } from "../db/client";
import { openDatabase } from "../db/open";
import { answerRest } from "./rest";
import { answerAuth } from "./sign-in";

export const origin = "http://localhost:3000";
export const password = "correct horse battery";

const yaml = `
sites:
  - { name: north, addresses: ["http://north.example"] }
  - { name: south, addresses: ["http://south.example"] }
`;

export type House = { readonly directory: string; close(): Promise<void> };

/** Opens a fresh database below a temporary directory; call before anything else of the file touches it. */
export async function openHouse(config = yaml): Promise<House> {
  const directory = mkdtempSync(join(tmpdir(), "sluice-house-"));
  const file = join(directory, "sluice.yaml");
  writeFileSync(file, config);
  process.env.SLUICE_DATA = join(directory, "data");
  process.env.SLUICE_CONFIG = file;
  await openDatabase();
  return {
    directory,
    async close() {
      await closeDatabase();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Makes a user with `password`; their e-mail is `<name>@example.org`. */
export async function addUser(
  name: string,
  role: Role,
  more: { readonly sites?: readonly string[]; readonly mustChangePassword?: boolean } = {},
): Promise<string> {
  const id = crypto.randomUUID();
  await db().user.create({
    data: {
      id,
      name,
      email: `${name}@example.org`,
      role,
      sites: JSON.stringify(more.sites ?? []),
      mustChangePassword: more.mustChangePassword ?? false,
      accounts: { create: await passwordAccount(id, password) },
    },
  });
  return id;
}

/** A POST of JSON to a path under /api/auth, as a page of Sluice sends it. */
export function authPost(
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return answerAuth(
    new Request(`${origin}/api/auth${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", origin, host: "localhost:3000", ...headers },
      body: JSON.stringify(body),
    }),
  );
}

/** The Cookie header that an answer's Set-Cookie headers amount to. */
export function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0] ?? "")
    .join("; ");
}

/** Signs in by password and returns the Cookie header. */
export async function signIn(name: string, by = password): Promise<string> {
  const response = await authPost("/sign-in/email", { email: `${name}@example.org`, password: by });
  if (!response.ok) throw new Error(`${name} could not sign in: ${await response.text()}`);
  return cookiesOf(response);
}

/** Calls the REST API; `body` makes it JSON. */
export function rest(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: unknown,
): Promise<Response> {
  return answerRest(
    new Request(`${origin}/api/v1${path}`, {
      method,
      headers: {
        origin,
        host: "localhost:3000",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
}

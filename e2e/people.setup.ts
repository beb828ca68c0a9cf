// Makes the people of the tests through the real doors: the one-time code, the administrator's users, first passwords.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type APIRequestContext, expect, request, test as setup } from "@playwright/test";
import * as z from "zod";
import { dataFolder, type Person, people, sluiceAddress, stateFile } from "./fixtures";

const codeFile = join(dataFolder, "first-sign-in.txt");

/** A client with its own cookies that says, as a browser does, which page it calls from. */
const client = (): Promise<APIRequestContext> =>
  request.newContext({ baseURL: sluiceAddress, extraHTTPHeaders: { Origin: sluiceAddress } });

async function signIn(api: APIRequestContext, email: string, password: string): Promise<boolean> {
  return (await api.post("/api/auth/sign-in/email", { data: { email, password } })).ok();
}

setup("the first administrator, by the code on the console", async () => {
  mkdirSync(dirname(stateFile("admin")), { recursive: true });
  const api = await client();
  const { name, email, password } = people.admin;
  if (existsSync(codeFile)) {
    const wrong = await api.post("/api/setup", {
      data: { code: "AAAAA-AAAAA-AAAAA-AAAAA", name, email, password },
    });
    expect(wrong.status()).toBe(403);
    const code = readFileSync(codeFile, "utf8").trim();
    const made = await api.post("/api/setup", { data: { code, name, email, password } });
    expect(made.status(), await made.text()).toBe(201);
    expect(existsSync(codeFile), "a code works once").toBe(false);
  } else {
    // A second run on the same Sluice.
    expect(await signIn(api, email, password)).toBe(true);
  }
  await api.storageState({ path: stateFile("admin") });
  const again = await api.post("/api/setup", {
    data: { code: "AAAAA-AAAAA-AAAAA-AAAAA", name, email, password },
  });
  expect([403, 409]).toContain(again.status());
});

for (const person of ["operator", "editor", "viewer"] as const satisfies readonly Person[]) {
  setup(`${person}: a one-time password, changed at the first sign-in`, async () => {
    const { name, email, password, role, sites } = people[person];
    const own = await client();
    if (!(await signIn(own, email, password))) {
      const admin = await request.newContext({
        baseURL: sluiceAddress,
        extraHTTPHeaders: { Origin: sluiceAddress },
        storageState: stateFile("admin"),
      });
      const made = await admin.post("/api/v1/users", { data: { name, email, role, sites } });
      expect(made.ok(), await made.text()).toBe(true);
      const { password: once } = z.object({ password: z.string().min(12) }).parse(await made.json());
      expect(await signIn(own, email, once)).toBe(true);
      const early = await own.get("/api/v1/changes");
      expect(early.status(), "nothing else before the password is changed").toBe(403);
      const changed = await own.post("/api/auth/change-password", {
        data: { currentPassword: once, newPassword: password, revokeOtherSessions: true },
      });
      expect(changed.ok(), await changed.text()).toBe(true);
      await admin.dispose();
    }
    const me = z.object({ role: z.string() }).parse(await (await own.get("/api/v1/me")).json());
    expect(me.role).toBe(role);
    await own.storageState({ path: stateFile(person) });
  });
}

// Sign-in on a real database: sessions, cookies, limits, one-time codes and passwords.
import { createHmac } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { isSetupNeeded, offerFirstSignIn } from "../auth/first-admin";
import { addUser, type House, openHouse, password } from "../auth/house.fixture";
import { db } from "../db/client";
import { forgetSingleton } from "../runtime/singleton";
import { authPost, cookiesOf, rest, signIn } from "./requests.fixture";
import { answerSetup } from "./sign-in";

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterAll(() => house.close());
beforeEach(async () => {
  await db().user.deleteMany();
  forgetSingleton("auth.attempts");
});

const setup = (body: object) =>
  answerSetup(
    new Request("http://localhost:3000/api/setup", {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "user-agent": "Browser/1" },
    }),
  );
const admin = { name: "Ada", email: "Ada@Example.org", password };

test("the first administrator is made with the printed code, once", async () => {
  let printed = "";
  await offerFirstSignIn((text) => {
    printed += text;
  });
  const file = join(house.directory, "data", "first-sign-in.txt");
  const code = readFileSync(file, "utf8").trim();
  expect(code).toMatch(/^([A-Z2-9]{5}-){3}[A-Z2-9]{5}$/);
  expect(printed).toContain(code);
  expect(statSync(file).mode & 0o777).toBe(0o600);

  const wrong = await setup({ ...admin, code: "AAAAA-AAAAA-AAAAA-AAAAA" });
  expect(wrong.status).toBe(403);
  expect(await wrong.json()).toMatchObject({ code: "FORBIDDEN", problem: "setup.wrongCode", field: "code" });
  const short = await setup({ ...admin, code, password: "short" });
  expect(await short.json()).toMatchObject({ problem: "password.tooShort", field: "password" });
  expect(await isSetupNeeded()).toBe(true);

  // As typed by hand, and twice at once: one of them makes the administrator.
  const spelled = code.toLowerCase().replaceAll("-", " ");
  const both = await Promise.all([
    setup({ ...admin, code: spelled }),
    setup({ ...admin, email: "second@example.org", code: spelled }),
  ]);
  expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
  expect(await db().user.count()).toBe(1);
  expect(existsSync(file)).toBe(false);
  const winner = both.find(({ status }) => status === 201);
  if (winner === undefined) throw new Error("nobody won");
  expect(await (await rest("GET", "/me", { cookie: cookiesOf(winner) })).json()).toMatchObject({
    role: "admin",
  });
  expect(await db().session.findFirst()).toMatchObject({ userAgent: "Browser/1" });
  expect((await setup({ ...admin, code })).status).toBe(409);
});

test("guessing the code is slowed down", async () => {
  await offerFirstSignIn(() => {});
  const statuses: number[] = [];
  for (let guess = 0; guess < 12; guess++)
    statuses.push((await setup({ ...admin, code: `guess-${guess}` })).status);
  expect(statuses.slice(0, 10)).toEqual(Array(10).fill(403));
  expect(statuses.slice(10)).toEqual([429, 429]);
});

test("sign-up over HTTP is refused", async () => {
  const response = await authPost("/sign-up/email", { name: "Eve", email: "eve@example.org", password });
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(await db().user.count()).toBe(0);
});

test("the session cookie is out of reach for scripts and other sites, and Secure on HTTPS", async () => {
  await addUser("ada", "admin");
  const over = async (url: string | undefined) => {
    if (url !== undefined) process.env.SLUICE_URL = url;
    try {
      const response = await authPost("/sign-in/email", { email: "ada@example.org", password });
      return response.headers.getSetCookie().find((cookie) => cookie.includes("session_token")) ?? "";
    } finally {
      delete process.env.SLUICE_URL;
    }
  };
  const plain = await over(undefined);
  expect(plain).toMatch(/^sluice\.session_token=/);
  expect(plain).toMatch(/HttpOnly/i);
  expect(plain).toMatch(/SameSite=Lax/i);
  expect(plain).not.toMatch(/Secure/i);
  const secure = await over("https://sluice.example");
  expect(secure).toMatch(/^__Secure-sluice\.session_token=/);
  expect(secure).toMatch(/Secure/);
});

test("wrong passwords are counted by account and by address, good ones are not", async () => {
  await addUser("ada", "admin");
  for (let time = 0; time < 12; time++) await signIn("ada");
  const wrong = (address: string) =>
    authPost(
      "/sign-in/email",
      { email: "ada@example.org", password: "not this one" },
      { "x-sluice-peer": address },
    );
  for (let time = 0; time < 10; time++) expect((await wrong(`203.0.113.${time}`)).status).toBe(401);
  const limited = await wrong("203.0.113.99");
  expect(limited.status).toBe(429);
  expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);

  const other = (time: number) =>
    authPost(
      "/sign-in/email",
      { email: `nobody-${time}@example.org`, password },
      { "x-sluice-peer": "198.51.100.7", "x-forwarded-for": `192.0.2.${time}` },
    );
  for (let time = 0; time < 30; time++) expect((await other(time)).status).toBe(401);
  expect((await other(31)).status).toBe(429);
});

test("an unknown address and a wrong password get the same answer", async () => {
  await addUser("ada", "admin");
  const unknown = await authPost("/sign-in/email", { email: "nobody@example.org", password });
  const wrong = await authPost("/sign-in/email", { email: "ada@example.org", password: "not this one" });
  expect([unknown.status, await unknown.text()]).toEqual([wrong.status, await wrong.text()]);
});

test("a one-time password must be changed before anything else", async () => {
  await addUser("new", "admin", { mustChangePassword: true });
  const cookie = await signIn("new");
  expect(await (await rest("GET", "/me", { cookie })).json()).toMatchObject({ mustChangePassword: true });
  const refused = await rest("GET", "/changes", { cookie });
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ problem: "auth.changePassword" });

  const same = { currentPassword: password, newPassword: password };
  expect((await authPost("/change-password", same, { cookie })).status).toBe(400);
  const change = {
    currentPassword: password,
    newPassword: "another horse battery",
    revokeOtherSessions: true,
  };
  const changed = await authPost("/change-password", change, { cookie });
  expect(changed.status).toBe(200);
  expect((await rest("GET", "/changes", { cookie: cookiesOf(changed) })).status).toBe(200);
  // The session from before ended with the old password.
  expect((await rest("GET", "/changes", { cookie })).status).toBe(401);
});

test("a ban and the end of a session hold from the next request on", async () => {
  const id = await addUser("vera", "viewer");
  const cookie = await signIn("vera");
  expect((await rest("GET", "/me", { cookie })).status).toBe(200);
  await db().user.update({ where: { id }, data: { banned: true } });
  expect((await rest("GET", "/me", { cookie })).status).toBe(401);
  expect((await authPost("/sign-in/email", { email: "vera@example.org", password })).status).toBe(403);
  await db().user.update({ where: { id }, data: { banned: false } });
  expect((await rest("GET", "/me", { cookie })).status).toBe(200);
  await db().session.updateMany({ data: { expiresAt: new Date(Date.now() - 1000) } });
  expect((await rest("GET", "/me", { cookie })).status).toBe(401);
});

test("signing out everywhere ends every session", async () => {
  await addUser("vera", "viewer");
  const [one, two] = [await signIn("vera"), await signIn("vera")];
  expect((await authPost("/revoke-sessions", {}, { cookie: one })).status).toBe(200);
  for (const cookie of [one, two]) expect((await rest("GET", "/me", { cookie })).status).toBe(401);
});

test("a cross-site sign-in or sign-out is refused", async () => {
  await addUser("vera", "viewer");
  const cookie = await signIn("vera");
  const evil = { cookie, origin: "https://evil.example" };
  expect((await authPost("/sign-out", {}, evil)).status).toBe(403);
  expect((await rest("GET", "/me", { cookie })).status).toBe(200);
});

test("nobody can raise their own role", async () => {
  const id = await addUser("vera", "viewer");
  const cookie = await signIn("vera");
  await authPost("/update-user", { name: "Vera", role: "admin", sites: "null", banned: true }, { cookie });
  expect(await db().user.findUnique({ where: { id } })).toMatchObject({ role: "viewer", banned: false });
});

test("a second factor is asked for once it is set up, and a code holds only for its time", async () => {
  await addUser("ada", "admin");
  const cookie = await signIn("ada");
  const enabled = await (await authPost("/two-factor/enable", { password }, { cookie })).json();
  const secret = new URL(enabled.totpURI).searchParams.get("secret") ?? "";
  expect(enabled.backupCodes.length).toBeGreaterThan(5);
  const kept = await db().twoFactor.findFirstOrThrow();
  expect(JSON.stringify(kept)).not.toContain(secret);
  const verified = await authPost("/two-factor/verify-totp", { code: totp(secret) }, { cookie });
  expect(verified.status).toBe(200);
  expect(await db().user.findFirst()).toMatchObject({ twoFactorEnabled: true });

  const first = await authPost("/sign-in/email", { email: "ada@example.org", password });
  expect(await first.json()).toMatchObject({ twoFactorRedirect: true });
  const half = cookiesOf(first);
  expect((await rest("GET", "/me", { cookie: half })).status).toBe(401);
  const wrong = await authPost("/two-factor/verify-totp", { code: totp(secret, -10) }, { cookie: half });
  expect(wrong.status).toBe(401);
  const second = await authPost("/two-factor/verify-totp", { code: totp(secret) }, { cookie: half });
  expect(second.status).toBe(200);
  expect(await (await rest("GET", "/me", { cookie: cookiesOf(second) })).json()).toMatchObject({
    twoFactorEnabled: true,
  });
});

/** The code of an authenticator app (RFC 6238), `steps` times 30 s from now. */
function totp(secret: string, steps = 0): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

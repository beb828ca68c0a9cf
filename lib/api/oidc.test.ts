// Sign-in by a provider, against a real OpenID provider on a port of its own.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { addUser, type House, openHouse } from "../auth/house.fixture";
import { signInOptions } from "../auth/sign-in-options";
import { db } from "../db/client";
import { authPost, cookiesOf, origin, rest, signIn } from "./requests.fixture";
import { answerAuth } from "./sign-in";

let house: House;
let server: Server;
let silent: Server;
let issuer = "";
/** Who is signed in at the provider. */
let person = { email: "vera@example.org", email_verified: true };

const listen = async (one: Server): Promise<string> => {
  await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(one.address() as AddressInfo).port}`;
};

function makeProvider(): Provider {
  const client = (name: string) => ({
    client_id: name,
    client_secret: "a secret of the client",
    redirect_uris: [`${origin}/api/auth/callback/${name}`],
  });
  const provider = new Provider(issuer, {
    clients: [client("company"), client("closed")],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: "Vera", ...person }),
    }),
    async loadExistingGrant(ctx) {
      const accountId = ctx.oidc.session?.accountId;
      const clientId = ctx.oidc.client?.clientId;
      if (accountId === undefined || clientId === undefined) return undefined;
      const grant = new ctx.oidc.provider.Grant({ accountId, clientId });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  });
  return provider;
}

beforeAll(async () => {
  server = createServer();
  silent = createServer(() => {});
  issuer = await listen(server);
  const provider = makeProvider();
  const answer = provider.callback();
  server.on("request", (request, response) => {
    // The provider's own sign-in page, with nobody to type.
    if (request.url?.startsWith("/interaction/")) {
      void provider.interactionFinished(request, response, { login: { accountId: person.email } });
    } else void answer(request, response);
  });
  const oidc = (name: string, address: string, role: string) =>
    `    - { name: ${name}, issuer: "${address}", client_id: ${name}, client_secret: "a secret of the client", default_role: ${role} }\n`;
  house = await openHouse(
    `auth:\n  oidc:\n${oidc("company", issuer, "viewer")}${oidc("closed", issuer, "none")}`,
  );
});
afterAll(async () => {
  await house.close();
  for (const one of [server, silent]) {
    one.closeAllConnections();
    one.close();
  }
});
beforeEach(() => db().user.deleteMany());

/** Goes the whole way as a browser does; the answer of our callback. */
async function signInBy(provider: string): Promise<Response> {
  const begun = await authPost("/sign-in/social", { provider, callbackURL: "/purge" });
  expect(begun.status).toBe(200);
  const jar = new Map<string, string>();
  let next: string = (await begun.json()).url;
  while (!next.startsWith(origin)) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(next, { redirect: "manual", headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [name = "", value = ""] = (line.split(";")[0] ?? "").split("=");
      jar.set(name, value);
    }
    const location = answer.headers.get("location");
    if (location === null) throw new Error(`stuck at ${next}: ${answer.status} ${await answer.text()}`);
    next = new URL(location, next).href;
  }
  return answerAuth(new Request(next, { headers: { cookie: cookiesOf(begun), host: "localhost:3000" } }));
}

test("a provider's person becomes a user with the provider's role, and is the same one the next time", async () => {
  person = { email: "vera@example.org", email_verified: true };
  expect((await signInOptions()).providers).toContainEqual({ name: "company", title: "company" });
  const answer = await signInBy("company");
  expect([answer.status, answer.headers.get("location")]).toEqual([302, "/purge"]);
  const me = await (await rest("GET", "/me", { cookie: cookiesOf(answer) })).json();
  expect(me).toMatchObject({ email: "vera@example.org", role: "viewer", mustChangePassword: false });
  await signInBy("company");
  expect(await db().user.count()).toBe(1);
});

test("a provider without a role lets known addresses in, nobody else", async () => {
  person = { email: "stranger@example.org", email_verified: true };
  const refused = await signInBy("closed");
  expect((await rest("GET", "/me", { cookie: cookiesOf(refused) })).status).toBe(401);
  expect(await db().user.count()).toBe(0);

  person = { email: "omar@example.org", email_verified: true };
  const id = await addUser("omar", "operator");
  await db().user.update({ where: { id }, data: { emailVerified: true } });
  const answer = await signInBy("closed");
  expect(await (await rest("GET", "/me", { cookie: cookiesOf(answer) })).json()).toMatchObject({
    id,
    role: "operator",
  });
});

test("an address that the provider has not verified takes nobody's account over", async () => {
  person = { email: "ada@example.org", email_verified: false };
  const id = await addUser("ada", "admin");
  await db().user.update({ where: { id }, data: { emailVerified: true } });
  const refused = await signInBy("company");
  expect((await rest("GET", "/me", { cookie: cookiesOf(refused) })).status).toBe(401);
  expect(await db().account.count({ where: { userId: id } })).toBe(1);
});

test("a banned person is not let in by a provider either", async () => {
  person = { email: "vera@example.org", email_verified: true };
  await signInBy("company");
  await db().user.updateMany({ data: { banned: true } });
  const refused = await signInBy("company");
  expect((await rest("GET", "/me", { cookie: cookiesOf(refused) })).status).toBe(401);
});

test("a provider that gives no answer keeps nobody with a password out", async () => {
  const address = await listen(silent);
  const other = `auth: { oidc: [{ name: slow, issuer: "${address}", client_id: a, client_secret: b }] }`;
  const { writeFileSync } = await import("node:fs");
  const { configSource } = await import("../config/load");
  writeFileSync(process.env.SLUICE_CONFIG ?? "", other);
  configSource().reload();
  expect((await signInOptions()).providers).toEqual([{ name: "slow", title: "slow" }]);
  void authPost("/sign-in/social", { provider: "slow", callbackURL: "/" }).catch(() => {});
  await addUser("ada", "admin");
  expect((await rest("GET", "/me", { cookie: await signIn("ada") })).status).toBe(200);
});

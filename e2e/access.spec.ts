// Who gets in, and what each may do: asked at the server, whatever a page shows.
import { expect, people, shopAddress, siteAddress, sluiceAddress, stateFile, test } from "./fixtures";

const doors = ["/purge", "/history", "/settings/users", "/settings/connections"];

for (const door of doors) {
  test(`${door} sends a stranger to sign in`, async ({ visitor }) => {
    const page = await visitor();
    await page.goto(door);
    await expect(page).toHaveURL(/\/sign-in/);
  });
}

test("nothing of the API answers a stranger, and health says no more than that it is well", async ({
  playwright,
}) => {
  const api = await playwright.request.newContext({
    baseURL: sluiceAddress,
    extraHTTPHeaders: { Origin: sluiceAddress },
  });
  for (const path of [
    "/api/v1/me",
    "/api/v1/changes",
    "/api/v1/systems",
    "/api/v1/users",
    "/api/v1/keys",
    "/api/v1/live",
  ])
    expect((await api.get(path)).status(), path).toBe(401);
  expect((await api.post("/api/v1/purges", { data: { target: { by: "everything" } } })).status()).toBe(401);
  expect(await (await api.get("/healthz")).json()).toEqual({
    status: "ok",
    checks: {
      database: { ok: true },
      lease: { ok: true },
      collectors: { ok: true },
      disk: { ok: true },
    },
  });
  // Nobody is named in sluice.yaml who may read it.
  expect((await api.get("/metrics")).status()).toBe(404);
  await api.dispose();
});

test("an editor purges pages of the own sites, and nothing wider", async ({ playwright }) => {
  const api = await playwright.request.newContext({
    baseURL: sluiceAddress,
    extraHTTPHeaders: { Origin: sluiceAddress },
    storageState: stateFile("editor"),
  });
  const purge = (target: object) => api.post("/api/v1/purges/plan", { data: { target } });
  expect((await purge({ by: "url", urls: [`${siteAddress}/fr`] })).status()).toBe(200);
  const foreign = await purge({ by: "url", urls: [`${shopAddress}/fr`] });
  expect(foreign.status()).toBe(422);
  for (const target of [
    { by: "site", site: "site" },
    { by: "prefix", site: "site", prefix: "/fr/" },
    { by: "everything" },
  ])
    expect((await purge(target)).status(), JSON.stringify(target)).toBe(403);
  expect((await api.get("/api/v1/users")).status()).toBe(403);
  await api.dispose();
});

test("a viewer looks, and purges nothing", async ({ playwright }) => {
  const api = await playwright.request.newContext({
    baseURL: sluiceAddress,
    extraHTTPHeaders: { Origin: sluiceAddress },
    storageState: stateFile("viewer"),
  });
  expect((await api.get("/api/v1/changes")).status()).toBe(200);
  expect(
    (
      await api.post("/api/v1/purges", { data: { target: { by: "url", urls: [`${siteAddress}/fr`] } } })
    ).status(),
  ).toBe(403);
  await api.dispose();
});

test("everything wants its word typed, on the server too", async ({ playwright }) => {
  const api = await playwright.request.newContext({
    baseURL: sluiceAddress,
    extraHTTPHeaders: { Origin: sluiceAddress },
    storageState: stateFile("operator"),
  });
  const target = { by: "everything" };
  expect((await api.post("/api/v1/purges", { data: { target } })).ok()).toBe(false);
  expect((await api.post("/api/v1/purges", { data: { target, confirmation: "no" } })).ok()).toBe(false);
  await api.dispose();
});

test("a page of another site cannot act with our cookie", async ({ playwright }) => {
  const api = await playwright.request.newContext({
    baseURL: sluiceAddress,
    extraHTTPHeaders: { Origin: "https://evil.example" },
    storageState: stateFile("admin"),
  });
  const refused = await api.post("/api/v1/users", {
    data: { name: "Eve", email: "eve@example.org", role: "admin", sites: [] },
  });
  expect(refused.status()).toBe(403);
  await api.dispose();
});

test("an API key does what its scope says, until it is revoked", async ({ playwright }) => {
  const admin = await playwright.request.newContext({
    baseURL: sluiceAddress,
    extraHTTPHeaders: { Origin: sluiceAddress },
    storageState: stateFile("operator"),
  });
  const made = await admin.post("/api/v1/keys", { data: { name: "e2e", scope: "read" } });
  expect(made.ok(), await made.text()).toBe(true);
  const { key, row } = await made.json();
  const robot = await playwright.request.newContext({
    baseURL: sluiceAddress,
    extraHTTPHeaders: { Authorization: `Bearer ${key}` },
  });
  expect((await robot.get("/api/v1/changes")).status()).toBe(200);
  expect(
    (
      await robot.post("/api/v1/purges", { data: { target: { by: "url", urls: [`${siteAddress}/fr`] } } })
    ).status(),
  ).toBe(403);
  expect((await admin.delete(`/api/v1/keys/${row.id}`)).ok()).toBe(true);
  expect((await robot.get("/api/v1/changes")).status()).toBe(401);
  await Promise.all([admin.dispose(), robot.dispose()]);
});

test("sign-out everywhere ends the other browser's session at once", async ({ playwright }) => {
  const { email, password } = people.viewer;
  const signedIn = async () => {
    const api = await playwright.request.newContext({
      baseURL: sluiceAddress,
      extraHTTPHeaders: { Origin: sluiceAddress },
    });
    expect((await api.post("/api/auth/sign-in/email", { data: { email, password } })).ok()).toBe(true);
    return api;
  };
  const [here, there] = [await signedIn(), await signedIn()];
  expect((await there.get("/api/v1/me")).status()).toBe(200);
  expect((await here.post("/api/auth/revoke-other-sessions", { data: {} })).ok()).toBe(true);
  expect((await there.get("/api/v1/me")).status()).toBe(401);
  expect((await here.get("/api/v1/me")).status()).toBe(200);
  // The tests after this one go on as the viewer.
  await here.storageState({ path: stateFile("viewer") });
  await Promise.all([here.dispose(), there.dispose()]);
});

test("wrong passwords are slowed down, and say no more than that", async ({ playwright }) => {
  const api = await playwright.request.newContext({
    baseURL: sluiceAddress,
    extraHTTPHeaders: { Origin: sluiceAddress },
  });
  const attempt = (email: string) =>
    api.post("/api/auth/sign-in/email", { data: { email, password: "wrong wrong wrong" } });
  const nobody = "nobody@example.org";
  const [unknown, known] = [await attempt(nobody), await attempt(people.operator.email)];
  expect(unknown.status()).toBe(known.status());
  expect(await unknown.json()).toEqual(await known.json());
  let slowed = 0;
  for (let time = 0; time < 12; time += 1) if ((await attempt(nobody)).status() === 429) slowed += 1;
  expect(slowed).toBeGreaterThan(0);
  await api.dispose();
});

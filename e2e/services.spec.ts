// Services: what runs, why something died, its log, and acts with their proof; for each role what it may.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startTestRegistry } from "../lib/systems/oci/test-registry";
import { test as base, expect, phone, stack } from "./fixtures";
import { en, fr } from "./words";

const exec = promisify(execFile);
const docker = (...args: string[]) => exec("docker", args);
const image = "debian:bookworm-slim";
const endless = `trap 'exit 0' TERM; i=0; while :; do i=$((i+1)); echo "beat $i"; sleep 0.2; done`;

let made = 0;
/** A container of the test's own: nobody else's is stopped here. */
const test = base.extend<{ container: (script: string, ...options: string[]) => Promise<string> }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern.
  container: async ({}, use) => {
    const names: string[] = [];
    await use(async (script, ...options) => {
      made += 1;
      const name = `sluice-e2e-${process.pid}-${made}`;
      names.push(name);
      await docker("run", "-d", "--network", "none", "--name", name, ...options, image, "sh", "-c", script);
      return name;
    });
    await Promise.all(names.map((name) => docker("rm", "-f", name).catch(() => {})));
  },
});

test("the stack's services are there, live; a viewer looks, and has nothing to press", async ({ as }) => {
  const viewer = await as("viewer");
  // Another stack may run on the same engine.
  await viewer.goto(`/services?project=${stack.composeProject}`);
  const name = stack.containers.redis ?? "";
  await expect(viewer.getByRole("link", { name: "redis", exact: true })).toBeVisible();
  await expect(viewer.getByText(name, { exact: true }).first()).toBeVisible();
  await expect(viewer.getByRole("button", { name: en("services.acts.restart") })).toHaveCount(0);
  await viewer.getByLabel(en("services.search")).fill("varnish-2");
  await expect(viewer).toHaveURL(/q=varnish-2/);
  await expect(viewer.getByRole("link", { name: "redis", exact: true })).toHaveCount(0);
  // The filter is in the address: it can be pasted.
  await viewer.reload();
  await viewer.getByRole("link", { name: "varnish-2", exact: true }).click();
  await expect(viewer.getByRole("heading", { level: 1 })).toHaveText(stack.containers["varnish-2"] ?? "");
  // The names of its environment, and never a value.
  await expect(viewer.getByText("VARNISH_SECRET", { exact: true })).toBeVisible();
  const secret = (
    await exec("docker", ["exec", stack.containers["varnish-2"] ?? "", "printenv", "VARNISH_SECRET"])
  ).stdout.trim();
  expect(secret.length).toBeGreaterThan(5);
  expect(await viewer.content()).not.toContain(secret);
  const answer = await viewer.request.get(`/api/v1/services/engine/${stack.containers["varnish-2"]}`);
  expect(await answer.text()).not.toContain(secret);
});

test("what is asked wrongly is said in words: logs, their file, a page, a filter", async ({ as }) => {
  const viewer = await as("viewer");
  const nginx = stack.containers.nginx ?? "";
  const main = viewer.getByRole("main");
  await viewer.goto("/services/logs?of=engine/nobody-by-that-name");
  await expect(main.getByText(/nobody-by-that-name/).first()).toBeVisible();
  await expect(main.getByText(en("errors.INTERNAL"))).toHaveCount(0);
  await viewer.goto(`/services/logs?of=engine/${nginx}&q=(&regex=1`);
  await expect(main.getByText(en("problems.services.badSearch", { reason: "" })).first()).toBeVisible();
  const file = (more: string) => viewer.request.get(`/api/v1/services/log?of=engine/${nginx}&${more}`);
  expect((await file("search=%28&regex=true")).status()).toBe(422);
  expect((await file("since=2030-01-01T00:00:00Z&until=2020-01-01T00:00:00Z")).status()).toBe(422);
  expect((await file("search=GET")).status()).toBe(200);
  await viewer.goto("/services/nohost/web");
  await expect(main.getByText(/nohost/).first()).toBeVisible();
  await expect(main.locator("[aria-busy=true]")).toHaveCount(0);
  await viewer.goto("/services/engine/a%20b%3Cscript%3E");
  await expect(main.getByRole("alert").first()).toBeVisible();
  await viewer.goto("/services?project=nowhere");
  await expect(main.getByText(/project=nowhere/)).toBeVisible();
});

test("an operator restarts a service: its plan, then the proof; in French, on a phone", async ({
  as,
  container,
}) => {
  const name = await container(endless);
  const operator = await as("operator", { locale: "fr-FR", viewport: phone, isMobile: true, hasTouch: true });
  await operator.goto(`/services?q=${name}`);
  await operator.getByRole("button", { name: `${fr("services.acts.restart")} ${name}` }).click();
  const dialog = operator.getByRole("dialog");
  await expect(dialog.getByText(fr("services.effects.restart"))).toBeVisible();
  await dialog.getByRole("button", { name: fr("services.verbs.restart", { count: 1, name }) }).click();
  await expect(operator).toHaveURL(/\/history\/\d+$/);
  await expect(operator.getByRole("heading", { level: 1, name: fr("proof.asWanted") })).toBeVisible({
    timeout: 30_000,
  });
});

test("only an administrator removes, by typing the name", async ({ as, container }) => {
  const name = await container(endless);
  const operator = await as("operator");
  await operator.goto(`/services/engine/${name}`);
  await expect(operator.getByRole("button", { name: en("services.acts.stop"), exact: true })).toBeVisible();
  await expect(operator.getByRole("button", { name: en("services.acts.remove"), exact: true })).toHaveCount(
    0,
  );
  const admin = await as("admin");
  await admin.goto(`/services/engine/${name}`);
  await admin.getByRole("button", { name: en("services.acts.remove"), exact: true }).click();
  const verb = admin
    .getByRole("dialog")
    .getByRole("button", { name: en("services.verbs.remove", { count: 1, name }) });
  await expect(verb).toBeDisabled();
  await admin.getByRole("dialog").getByRole("textbox").fill(name);
  await verb.click();
  await expect(admin.getByRole("heading", { level: 1, name: en("proof.asWanted") })).toBeVisible({
    timeout: 20_000,
  });
  await expect(docker("inspect", name)).rejects.toThrow();
});

test("why a service died: its code and its last words, on the page as it happens", async ({
  as,
  container,
}) => {
  const name = await container("sleep 2; echo 'the <b>last</b> words' >&2; exit 7");
  const viewer = await as("viewer");
  await viewer.goto(`/services/engine/${name}`);
  await expect(viewer.getByText(en("services.exit.code", { code: 7 }))).toBeVisible({ timeout: 20_000 });
  await expect(viewer.getByText("the <b>last</b> words", { exact: true })).toBeVisible();
});

test("what died and was removed is found again, with its last words", async ({ as, container }) => {
  const name = await container("sleep 1; echo 'gone for good'; exit 9");
  const viewer = await as("viewer");
  await viewer.goto(`/services/engine/${name}`);
  await expect(viewer.getByText("gone for good", { exact: true })).toBeVisible({ timeout: 20_000 });
  await docker("rm", name);
  await viewer.goto("/services");
  await viewer.getByText(/not there any more/).click();
  await viewer.getByRole("link", { name }).click();
  await expect(viewer.getByText(en("services.isGone"), { exact: true })).toBeVisible();
  await expect(viewer.getByText("gone for good", { exact: true })).toBeVisible();
});

test("what an address says and nobody understands is told", async ({ as }) => {
  const viewer = await as("viewer", { locale: "fr-FR" });
  await viewer.goto("/services?state=broken");
  await expect(viewer.getByText(/state=broken/)).toBeVisible();
  await viewer.goto(`/services/logs?of=engine/${stack.containers.nginx}&since=yesterday`);
  await expect(viewer.getByText(/since=yesterday/)).toBeVisible();
});

test("a log is live, searched on the server, and HTML in it is text", async ({ as, container }) => {
  const name = await container(
    `echo '<img src=x onerror=alert(1)>'; echo '[error] it broke' >&2; ${endless}`,
  );
  const viewer = await as("viewer");
  await viewer.goto(`/services/logs?of=engine/${name}`);
  await expect(viewer.getByText("<img src=x onerror=alert(1)>")).toBeVisible();
  await expect(viewer.getByRole("main").getByText(en("services.logLive"), { exact: true })).toBeVisible();
  await expect(viewer.getByText(/^beat 1\d$/).first()).toBeVisible({ timeout: 15_000 });
  await viewer.getByRole("button", { name: en("services.pause"), exact: true }).click();
  await expect(viewer.getByText(/new lines/)).toBeVisible();
  await viewer.getByLabel(en("services.logSearch")).fill("it broke");
  await expect(viewer).toHaveURL(/q=it(\+|%20)broke/);
  await expect(viewer.getByText("[error] it broke")).toBeVisible();
  await expect(viewer.getByText("<img src=x")).toHaveCount(0);
  const file = viewer.waitForEvent("download");
  await viewer.getByRole("link", { name: en("services.download") }).click();
  expect((await file).suggestedFilename()).toContain(name);
});

test("a million lines do not hang the page", async ({ as, container }) => {
  const name = await container("seq 1 1000000; sleep 600");
  const viewer = await as("viewer");
  await viewer.goto(`/services/logs?of=engine/${name}`);
  await expect(viewer.getByText("1000000", { exact: true })).toBeVisible({ timeout: 30_000 });
  const drawn = await viewer.getByLabel(en("services.logs")).locator("time").count();
  expect(drawn).toBeLessThan(300);
});

test("a deploy that is not good comes back by itself, and the page says why", async ({ as, container }) => {
  const name = await container(endless);
  await docker("rm", "-f", name);
  await docker("create", "--name", `${name}-base`, image, "true");
  const command = (script: string) => `CMD ${JSON.stringify(["sh", "-c", script])}`;
  await docker("commit", "--change", command("echo no database; exit 4"), `${name}-base`, `${name}:bad`);
  await docker("commit", "--change", command(endless), `${name}-base`, `${name}:good`);
  await docker("rm", `${name}-base`);
  await docker("run", "-d", "--network", "none", "--name", name, `${name}:good`);
  try {
    const admin = await as("admin");
    await admin.goto(`/services/engine/${name}`);
    await admin.getByRole("button", { name: en("deploy.button") }).click();
    const dialog = admin.getByRole("dialog");
    await dialog.getByLabel(en("deploy.image")).fill("Not An Image");
    await expect(dialog.getByRole("alert")).toBeVisible();
    await dialog.getByLabel(en("deploy.image")).fill(`${name}:bad`);
    await dialog
      .getByRole("button", { name: en("deploy.verb", { image: `${name}:bad` }) })
      .click({ timeout: 20_000 });
    await expect(admin.getByRole("heading", { level: 1, name: en("proof.rolledBack") })).toBeVisible({
      timeout: 40_000,
    });
    await expect(admin.getByText("no database")).toBeVisible();
    const { stdout } = await docker("inspect", "-f", "{{.Config.Image}} {{.State.Running}}", name);
    expect(stdout.trim()).toBe(`${name}:good true`);
  } finally {
    await docker("rm", "-f", name).catch(() => {});
    await docker("rmi", `${name}:bad`, `${name}:good`).catch(() => {});
  }
});

test("an image whose registry went away: why nothing is known of it, in both languages", async ({
  as,
  container,
}) => {
  const registry = await startTestRegistry();
  const address = `${registry.name}/e2e/app`;
  const name = await container(endless);
  try {
    await docker("tag", image, `${address}:1.0`);
    await docker("push", "-q", `${address}:1.0`);
    await docker("rm", "-f", name);
    await docker("run", "-d", "--network", "none", "--name", name, `${address}:1.0`, "sh", "-c", endless);
    const operator = await as("operator");
    await operator.goto("/services/images");
    const row = operator.getByRole("listitem").filter({ hasText: address });
    const check = row.getByRole("button", { name: en("services.checkNow") });
    await check.click();
    await expect(row.getByText(en("services.updateNone"))).toBeVisible();
    await registry.stop();
    await check.click();
    const refused = { address: registry.url };
    await expect(row.getByText(en("problems.http.connectionRefused", refused))).toBeVisible();
    const french = await as("operator", { locale: "fr-FR" });
    await french.goto("/services/images");
    await expect(french.getByText(fr("problems.http.connectionRefused", refused))).toBeVisible();
  } finally {
    await registry.stop();
    await docker("rm", "-f", name).catch(() => {});
    await docker("rmi", `${address}:1.0`).catch(() => {});
  }
});

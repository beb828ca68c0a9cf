// Services: what runs, why something died, its log, and acts with their proof; for each role what it may.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
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

test("a hundred thousand lines do not hang the page", async ({ as, container }) => {
  const name = await container("seq 1 100000; sleep 600");
  const viewer = await as("viewer");
  await viewer.goto(`/services/logs?of=engine/${name}`);
  await expect(viewer.getByText("100000", { exact: true })).toBeVisible({ timeout: 20_000 });
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

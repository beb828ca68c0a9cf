// On call: is it broken, where, since when; the river, a component's page, and a database that goes away and comes back.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as z from "zod";
import { expect, phone, stack, test } from "./fixtures";
import { en, fr } from "./words";

const exec = promisify(execFile);
const mariadb = stack.containers.mariadb ?? "";
/** What the lab's mail server took. */
const mailAddress = `http://127.0.0.1:${stack.ports.mailHttp}/messages`;

test("all is well: said in words, drawn, and the same as a table", async ({ as }) => {
  const viewer = await as("viewer");
  await viewer.goto("/");
  await expect(viewer).toHaveURL(/\/overview$/);
  await expect(viewer.getByRole("heading", { level: 1 })).toContainText(en("overview.visitorsAre.fine"));
  await viewer.getByText(en("overview.table")).click();
  const row = viewer.getByRole("row").filter({ hasText: "varnish-1" });
  await expect(row).toContainText(en("overview.states.up"));
  await expect(row).toContainText(en("overview.sources.prometheus"), { timeout: 30_000 });
  await row.getByRole("link").click();
  await expect(viewer.getByRole("heading", { level: 1 })).toHaveText("varnish-1");
  await expect(viewer.getByRole("link", { name: "nginx", exact: true })).toBeVisible();
});

test("an editor's front door is the purge", async ({ as }) => {
  const editor = await as("editor");
  await editor.goto("/");
  await expect(editor).toHaveURL(/\/purge$/);
});

test("a database that hangs is named as the cause within 30 s, on a phone, and well again when it is", async ({
  as,
  request,
}) => {
  const viewer = await as("viewer", { locale: "fr-FR", viewport: phone, isMobile: true, hasTouch: true });
  await viewer.goto("/overview");
  await expect(viewer.getByRole("heading", { level: 1 })).toContainText(fr("overview.visitorsAre.fine"));
  const mails = async () => {
    const all = z
      .array(z.object({ subject: z.string(), text: z.string().nullable() }))
      .parse(await (await request.get(mailAddress)).json());
    return all.filter(({ subject }) => subject.includes("mariadb"));
  };
  await request.delete(mailAddress);
  const down = viewer.getByText(fr("overview.is.down", { name: "mariadb", kind: "MariaDB" })).first();
  const since = Date.now();
  await exec("docker", ["pause", mariadb]);
  try {
    await expect(down).toBeVisible({ timeout: 30_000 });
    expect(Date.now() - since).toBeLessThan(30_000);
    // What is cached still answers; what fails for it is folded under it.
    await expect(
      viewer.getByText(fr("overview.becauseOfIt", { names: "" }), { exact: false }).first(),
    ).toBeVisible({
      timeout: 30_000,
    });
    await viewer.getByRole("link", { name: `${fr("overview.look")} mariadb` }).click();
    await expect(viewer.getByRole("heading", { level: 1 })).toHaveText("mariadb");
    await expect(viewer.getByRole("main").getByRole("alert")).toContainText("127.0.0.1");
    // One incident, whatever else fails for it.
    await viewer.goto("/incidents");
    await viewer
      .getByRole("link", { name: fr("incidents.isDown", { name: "mariadb" }) })
      .first()
      .click();
    await expect(viewer.getByRole("heading", { level: 1 })).toHaveText(
      fr("incidents.isDown", { name: "mariadb" }),
    );
    const failing = viewer.locator("section").filter({
      has: viewer.getByRole("heading", { name: fr("incidents.components") }),
    });
    await expect(failing.getByRole("link", { name: "symfony" })).toBeVisible({ timeout: 30_000 });
    // What there was to see, and of what did not answer that it did not.
    const processes = viewer.locator("summary", {
      hasText: fr("snapshots.kinds.processes", { name: "mariadb" }),
    });
    await expect(processes.first()).toContainText(fr("snapshots.none"), { timeout: 30_000 });
    await processes.first().click();
    await expect(viewer.getByText(/127\.0\.0\.1:\d+/).first()).toBeVisible();
    const workers = viewer.locator("summary", { hasText: fr("snapshots.kinds.workers", { name: "php" }) });
    await expect(workers.first()).toBeVisible({ timeout: 30_000 });
    // One mail, which names the cause and what fails for it.
    await expect(viewer.getByText(fr("incidents.entries.notified", { channel: "mail" }))).toBeVisible({
      timeout: 30_000,
    });
    const [told, ...others] = await mails();
    expect(others).toEqual([]);
    expect(told?.subject).toBe(en("incidents.isDown", { name: "mariadb" }));
    expect(told?.text).toContain("symfony");
  } finally {
    await exec("docker", ["unpause", mariadb]);
  }
  // All well for a while: it closes by itself, and says so to who reads it.
  await expect(viewer.getByRole("heading", { level: 1 })).toHaveText(
    fr("incidents.wasDown", { name: "mariadb" }),
    { timeout: 60_000 },
  );
  await expect(viewer.getByText(fr("incidents.entries.closed"), { exact: true })).toBeVisible({
    timeout: 60_000,
  });
  await expect
    .poll(async () => (await mails()).map(({ subject }) => subject), { timeout: 15_000 })
    .toEqual([en("incidents.isDown", { name: "mariadb" }), en("notices.well", { name: "mariadb" })]);
  await viewer.goto("/overview");
  await expect(viewer.getByRole("link", { name: `${fr("overview.look")} mariadb` })).toHaveCount(0, {
    timeout: 40_000,
  });
  await expect(
    viewer.getByText(fr("overview.is.up", { name: "mariadb", kind: "MariaDB" })).first(),
  ).toBeVisible({ timeout: 15_000 });
});

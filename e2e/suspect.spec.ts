// A deploy that breaks the site although its container is well: it is the first suspect of the incident, and its undo heals the site.
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, sluiceAddress, stack, test } from "./fixtures";
import { en } from "./words";

const exec = promisify(execFile);
const docker = async (...args: string[]) => (await exec("docker", args)).stdout.trim();
const php = stack.containers.php ?? "";
const bad = `sluice-e2e/${stack.composeProject}:bad`;

test("what broke the site is named first, and taken back from the incident", async ({ as }) => {
  test.setTimeout(240_000);
  const folder = await mkdtemp(join(tmpdir(), "sluice-e2e-bad-"));
  const base = `${stack.composeProject}-bad`;
  const image = await docker("inspect", "-f", "{{.Config.Image}}", php);
  const before = await docker("inspect", "-f", "{{.Image}}", php);
  try {
    // PHP-FPM itself answers its health check as before; every page is an error.
    await writeFile(join(folder, "index.php"), "<?php http_response_code(500); echo 'broken';\n");
    await docker("create", "--name", base, image);
    await docker("cp", join(folder, "index.php"), `${base}:/srv/site/public/index.php`);
    await docker("commit", base, bad);

    const admin = await as("admin");
    const deployed = await admin.request.post("/api/v1/services/deploys", {
      headers: { Origin: sluiceAddress },
      data: { host: "engine", id: php, image: bad, watchMs: 1000, reason: "a new version of the site" },
    });
    expect(deployed.ok(), await deployed.text()).toBe(true);
    const { id } = await deployed.json();

    await admin.goto("/incidents");
    await admin
      .getByRole("link", { name: en("incidents.isDown", { name: "symfony" }) })
      .first()
      .click({ timeout: 60_000 });
    const suspects = admin.locator("section").filter({
      has: admin.getByRole("heading", { name: en("incidents.suspects") }),
    });
    const first = suspects.getByRole("listitem").first();
    await expect(first.getByRole("link")).toHaveAttribute("href", `/history/${id}`, { timeout: 30_000 });
    await expect(first).toContainText(en("incidents.where.near"));
    await first.getByRole("button", { name: en("incidents.takeBack") }).click({ timeout: 60_000 });
    const incident = admin.url();
    await admin
      .getByRole("dialog")
      .getByRole("button", { name: en("incidents.takeBack") })
      .click();
    await expect(admin).toHaveURL(/\/history\/\d+$/);

    await admin.goto(incident);
    await expect(admin.getByRole("heading", { level: 1 })).toHaveText(
      en("incidents.wasDown", { name: "symfony" }),
      { timeout: 120_000 },
    );
    expect(await docker("inspect", "-f", "{{.Image}}", php)).toBe(before);
  } finally {
    await docker("rm", "-f", base).catch(() => {});
    await docker("rmi", bad).catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
});

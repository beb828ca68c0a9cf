// Backups: a repository with a lock that was left behind is unlocked, a file of yesterday is found and taken away.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { dataFolder, expect, phone, test } from "./fixtures";
import { en, fr } from "./words";

const config = join(dirname(dataFolder), "sluice.yaml");
const root = mkdtempSync(join(tmpdir(), "sluice-e2e-backup-"));
const source = join(root, "media");
const password = "a password of this test";
let before = "";

const environment = {
  ...process.env,
  RESTIC_REPOSITORY: join(root, "repository"),
  RESTIC_PASSWORD: password,
  RESTIC_CACHE_DIR: join(root, "cache"),
};
const restic = (...args: string[]) => execFileSync("restic", args, { env: environment }).toString();

test.beforeAll(async () => {
  mkdirSync(join(source, "2026"), { recursive: true });
  writeFileSync(join(source, "2026", "harbour.txt"), "first");
  restic("init");
  restic("backup", "--host", "web-1", "--tag", "files", "--", source);
  writeFileSync(join(source, "2026", "harbour.txt"), "second, and longer");
  restic("backup", "--host", "web-1", "--tag", "files", "--", source);
  const killed = spawn("restic", ["backup", "--stdin"], {
    env: environment,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const deadline = Date.now() + 20_000;
  while (restic("list", "locks", "--no-lock").trim() === "" && Date.now() < deadline);
  killed.kill("SIGKILL");
  before = readFileSync(config, "utf8");
  writeFileSync(
    config,
    before.replace(
      "\nsystems:\n",
      `\nsystems:\n  restic: [{ name: media, repository: ${JSON.stringify(join(root, "repository"))}, password: ${JSON.stringify(password)} }]\n`,
    ),
  );
});
test.afterAll(() => {
  if (before !== "") writeFileSync(config, before);
  rmSync(root, { recursive: true, force: true });
});

async function fine(page: Page): Promise<void> {
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
}

test("a lock is taken away, a file is found, compared and downloaded", async ({ as }) => {
  test.setTimeout(120_000);
  const operator = await as("operator");
  await operator.goto("/overview");
  await operator.keyboard.press("g");
  await operator.keyboard.press("b");
  await expect(operator.getByRole("heading", { level: 1, name: en("backup.title") })).toBeVisible();
  await expect(operator.getByText(en("backup.standing.staleLock"))).toBeVisible({ timeout: 30_000 });

  await operator.getByRole("button", { name: en("backup.unlock.open") }).click();
  await operator
    .getByRole("dialog")
    .getByRole("button", { name: en("backup.unlock.verb", { count: 1 }) })
    .click();
  await expect(operator.getByText(en("backup.proof.gone", { count: 1 }))).toBeVisible({ timeout: 30_000 });
  await operator.getByRole("link", { name: en("backup.proof.toPage") }).click();
  await expect(operator.getByText(en("backup.standing.up"), { exact: true })).toBeVisible({
    timeout: 30_000,
  });
  await expect(operator.getByText(en("backup.indexed", { indexed: 2, of: 2 }))).toBeVisible({
    timeout: 60_000,
  });

  await operator.getByRole("searchbox", { name: en("backup.search") }).fill("harbour");
  const file = join(source, "2026", "harbour.txt");
  await operator.getByRole("link", { name: file }).click();
  await expect(operator.getByRole("heading", { level: 1, name: file })).toBeVisible();
  await expect(operator.getByRole("link", { name: /^Download / })).toHaveCount(2);
  const older = operator.getByRole("listitem").filter({ hasText: "5 B" });
  const download = operator.waitForEvent("download");
  await older.getByRole("link", { name: /^Download / }).click();
  const given = await download;
  expect(given.suggestedFilename()).toBe("harbour.txt");
  expect(readFileSync(await given.path(), "utf8")).toBe("first");

  await older.getByRole("link", { name: en("backup.openFolder") }).click();
  await expect(
    operator.getByRole("link", { name: en("backup.historyOf", { name: "harbour.txt" }) }),
  ).toBeVisible();
  await operator.goto("/backups");
  await operator.locator("ol a[data-row]").first().click();
  await operator.getByRole("link", { name: en("backup.changes") }).click();
  await expect(operator.getByText(/one file changed \(5 B → 18 B\)/).first()).toBeVisible();
  await fine(operator);
});

test("on a phone, in French; a viewer may not ask", async ({ as }) => {
  const operator = await as("operator", { locale: "fr-FR", viewport: phone, isMobile: true, hasTouch: true });
  await operator.goto("/backups");
  await expect(operator.getByText(fr("backup.newest")).first()).toBeVisible({ timeout: 30_000 });
  await fine(operator);
  const width = () => operator.evaluate(() => document.documentElement.scrollWidth);
  expect(await width()).toBeLessThanOrEqual(phone.width);
  await operator.locator("ol a[data-row]").first().click();
  await expect(operator.getByRole("link", { name: fr("backup.folderAs", { archive: "zip" }) })).toBeVisible();
  await fine(operator);
  expect(await width()).toBeLessThanOrEqual(phone.width);
  const viewer = await as("viewer");
  await viewer.goto("/backups");
  await expect(viewer.getByRole("main").getByRole("alert").first()).toBeVisible();
});

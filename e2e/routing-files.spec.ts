// Traefik's files: a mistake is marked, a redirect is made by a form, put in force, proved by Traefik, and taken back.
import type { Page } from "@playwright/test";
import { expect, phone, stack, test } from "./fixtures";
import { en, fr } from "./words";

/** What Traefik itself answers to an address of the site. */
const asked = (page: Page, path: string) =>
  page.request.get(`http://127.0.0.1:${stack.ports.edge}${path}`, {
    headers: { Host: "site.localhost" },
    maxRedirects: 0,
  });

test("a redirect, from the form to Traefik and back", async ({ as }) => {
  test.setTimeout(180_000);
  const operator = await as("operator");
  await operator.goto("/routing");
  await operator.getByRole("link", { name: en("routing.files.edit"), exact: true }).click();
  await expect(operator.getByRole("heading", { level: 1 })).toHaveText(
    en("routing.files.filesOf", { traefik: "traefik" }),
  );
  const text = operator.locator(".cm-content");
  await expect(text).toContainText("site.localhost");
  await expect(operator.getByRole("tab", { name: "sites.yml" })).toHaveAttribute("aria-selected", "true");
  const good = operator.getByText(en("routing.files.verdict.good"), { exact: true });
  await expect(good).toBeVisible({ timeout: 20_000 });

  // A key that Traefik does not know is marked where it stands, and in the list that leads there.
  await text.click();
  await operator.keyboard.press("Control+End");
  await operator.keyboard.insertText("\ntcp:\n  routers:\n    typo:\n      serrvice: nowhere\n");
  await expect(operator.getByText(en("routing.files.verdict.rejected"))).toBeVisible({ timeout: 20_000 });
  const problem = operator
    .getByRole("region", { name: en("editor.problems") })
    .getByRole("button", { name: "serrvice" });
  await expect(problem).toBeVisible();
  await expect(operator.locator(".cm-lintRange-error").first()).toBeVisible();
  await operator.keyboard.press("Control+Home");
  await problem.press("Enter");
  await expect(operator.locator(".cm-activeLine")).toContainText("serrvice");
  // What is wrong at the cursor, by the keyboard.
  await operator.keyboard.press("Control+i");
  await expect(operator.locator(".editor-help")).toContainText("serrvice");
  await operator.keyboard.press("Escape");
  await expect(operator.locator(".editor-help")).toHaveCount(0);

  // A reload loses nothing, and the draft can be given up.
  await operator.reload();
  await operator.getByRole("button", { name: en("editor.discardDraft") }).click();
  await expect(text).not.toContainText("serrvice");
  await expect(good).toBeVisible({ timeout: 20_000 });

  // By a form: nothing is missing that is not told at its field.
  await operator.goto("/routing/acts?traefik=traefik&act=redirects");
  await operator.getByRole("button", { name: en("routing.acts.show") }).click();
  await expect(operator.getByText(en("routing.acts.wrong.csv"))).toBeVisible();
  await operator.getByLabel(en("routing.acts.fields.name"), { exact: true }).fill("moved");
  await operator
    .getByLabel(en("routing.acts.fields.csv"))
    .fill("http://site.localhost/moved-away,http://site.localhost/en,temporary");
  await operator.getByLabel("web", { exact: true }).check();
  await operator.getByRole("button", { name: en("routing.acts.show") }).click();
  await expect(operator.getByRole("heading", { name: en("routing.acts.does") })).toBeVisible({
    timeout: 20_000,
  });
  await expect(good).toBeVisible({ timeout: 20_000 });
  await expect(operator.getByText(en("routing.files.kinds.added"), { exact: true }).first()).toBeVisible();
  await expect(operator.getByLabel(en("editor.why"))).toHaveValue(
    en("routing.acts.reasons.redirects", { name: "moved" }),
  );
  await operator.getByRole("button", { name: en("routing.acts.save") }).click();

  const dialog = operator.getByRole("dialog");
  await expect(dialog).toBeVisible({ timeout: 20_000 });
  await dialog.getByLabel(en("routing.apply.probes")).fill("no address");
  await expect(dialog.getByText(en("routing.apply.probesWrong"))).toBeVisible();
  await dialog.getByLabel(en("routing.apply.probes")).fill("http://site.localhost/en");
  await dialog.getByLabel(en("routing.apply.watch")).selectOption("10");
  await dialog.getByLabel(en("routing.apply.reason")).fill("The page has moved");
  const put = dialog.getByRole("button", { name: /^Put r\d+ in force$/ });
  await expect(put).toBeEnabled({ timeout: 20_000 });
  await put.click();

  await expect(operator).toHaveURL(/\/history\/\d+$/, { timeout: 20_000 });
  await expect(operator.getByRole("heading", { level: 1, name: en("proof.inForce") })).toBeVisible({
    timeout: 90_000,
  });
  await expect(operator.getByText(en("routing.proof.shown"), { exact: true })).toBeVisible();
  await expect(operator.getByText(en("routing.proof.files.same"))).toBeVisible();
  await expect(operator.getByRole("cell", { name: "http://site.localhost/en", exact: true })).toBeVisible();
  const moved = await asked(operator, "/moved-away");
  expect([301, 302, 307, 308]).toContain(moved.status());
  expect(moved.headers().location).toBe("http://site.localhost/en");

  await operator.getByRole("button", { name: en("act.undo") }).click();
  await expect(operator.getByRole("link", { name: /^Undoes change \d+$/ })).toBeVisible({ timeout: 30_000 });
  await expect(operator.getByRole("heading", { level: 1, name: en("proof.inForce") })).toBeVisible({
    timeout: 90_000,
  });
  expect((await asked(operator, "/moved-away")).headers().location).toBeUndefined();

  // What was in force and what is, side by side.
  await operator.goto("/routing/revisions?traefik=traefik");
  await operator
    .getByRole("link", { name: /^Compare with r\d+$/ })
    .first()
    .click();
  await expect(operator.locator(".cm-changedLine, .cm-insertedLine, .cm-deletedChunk").first()).toBeVisible({
    timeout: 20_000,
  });
});

test("a password typed into the form is kept nowhere in the browser", async ({ as }) => {
  const operator = await as("operator");
  await operator.goto("/routing/acts?traefik=traefik&act=basicAuth");
  const password = "never kept anywhere 5";
  await operator.getByLabel(en("routing.acts.fields.name"), { exact: true }).fill("door");
  await operator.getByLabel(en("routing.acts.pairs.users.first")).fill("ada");
  const field = operator.getByLabel(en("routing.acts.pairs.users.second"));
  await expect(field).toHaveAttribute("type", "password");
  await field.fill(password);
  await operator.getByRole("button", { name: en("routing.acts.show") }).click();
  await expect(operator.getByRole("heading", { name: en("routing.acts.does") })).toBeVisible({
    timeout: 20_000,
  });
  // Neither the password nor its hash.
  await expect(operator.getByRole("main")).not.toContainText("$2");
  expect(await operator.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain(
    password,
  );
  expect(operator.url()).not.toContain("never");
});

test("on a phone, in French, by the keyboard; a viewer is not asked", async ({ as }) => {
  const operator = await as("operator", { locale: "fr-FR", viewport: phone, isMobile: true, hasTouch: true });
  const fits = async () =>
    expect(await operator.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      phone.width,
    );
  await operator.goto("/routing");
  await expect(operator.getByRole("heading", { name: fr("routing.files.title") })).toBeVisible();
  await fits();
  const edit = operator.getByRole("link", { name: fr("routing.files.edit"), exact: true });
  expect((await edit.boundingBox())?.height).toBeGreaterThanOrEqual(44);
  await edit.focus();
  await operator.keyboard.press("Enter");
  await expect(operator.locator(".cm-content")).toContainText("site.localhost");
  await fits();
  // The buttons of the search are as large as a finger.
  await operator.locator(".cm-content").focus();
  await operator.keyboard.press("Control+f");
  for (const button of await operator.locator(".cm-search button").all())
    expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
  await operator.keyboard.press("Escape");
  await operator.goto("/routing/acts?traefik=traefik&act=maintenance");
  await expect(operator.getByLabel(fr("routing.acts.fields.until"))).toBeVisible();
  await fits();
  await operator.goto("/routing/revisions?traefik=traefik");
  await expect(operator.getByRole("heading", { level: 1 })).toHaveText(
    fr("routing.files.revisionsOf", { traefik: "traefik" }),
  );
  await fits();

  const viewer = await as("viewer");
  await viewer.goto("/routing/edit?traefik=traefik");
  await expect(viewer.getByRole("main").getByRole("alert").first()).toBeVisible();
});

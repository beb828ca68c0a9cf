// VCL: opened from a node, refused by the real compilers at its line, saved, rolled out to both, proved, taken back.
import type { Page } from "@playwright/test";
import { expect, phone, test } from "./fixtures";
import { en, fr } from "./words";

test("a change to the VCL, from the node's text to both nodes and back", async ({ as }) => {
  test.setTimeout(150_000);
  const operator = await as("operator");
  await operator.goto("/overview");
  await operator.keyboard.press("g");
  await operator.keyboard.press("c");
  await expect(operator.getByRole("heading", { level: 1, name: en("vcl.title") })).toBeVisible();
  await operator
    .getByRole("link", { name: en("vcl.openRunning") })
    .first()
    .click();
  const text = operator.locator(".cm-content");
  await expect(text).toContainText("vcl 4.1;");
  const compiles = (node: string) =>
    operator.getByText(en("vcl.compiler.compiles", { node, time: "" }).split(" (")[0] ?? "");
  await expect(compiles("varnish-1")).toBeVisible();

  // What no compiler takes is marked, by both nodes.
  await text.click();
  await operator.keyboard.press("Control+End");
  await operator.keyboard.insertText("\nsub vcl_deliver { set resp.htttp.x = 1; }\n");
  await expect(operator.getByText(en("vcl.compiler.refuses", { node: "varnish-2" }))).toBeVisible({
    timeout: 20_000,
  });
  await expect(operator.getByText("resp.htttp.x").last()).toBeVisible();
  // A reload loses nothing.
  await operator.reload();
  await expect(operator.getByRole("button", { name: en("editor.discardDraft") })).toBeVisible();
  await expect(text).toContainText("vcl 4.1;");
  await operator.getByRole("button", { name: en("editor.discardDraft") }).click();

  await text.click();
  await operator.keyboard.press("Control+End");
  await operator.keyboard.insertText('\nsub vcl_deliver { set resp.http.X-Rolled = "out"; }\n');
  await expect(compiles("varnish-2")).toBeVisible({ timeout: 20_000 });
  await operator.getByLabel(en("editor.why")).fill("Says that it was rolled out");
  await operator.getByRole("button", { name: en("vcl.save") }).click();
  const dialog = operator.getByRole("dialog");
  await expect(dialog).toBeVisible({ timeout: 20_000 });
  await dialog.getByLabel(en("vcl.roll.watch")).selectOption("10");
  await expect(dialog.getByText("site.localhost", { exact: false })).toBeVisible({ timeout: 20_000 });
  await dialog.getByRole("button", { name: /Roll r\d+ out to 2 nodes/ }).click();
  await expect(operator.getByText(en("proof.live"))).toBeVisible({ timeout: 60_000 });
  await expect(operator.getByText(en("vcl.proof.runs"), { exact: true })).toHaveCount(2);
  await operator.getByRole("button", { name: en("act.undo") }).click();
  await expect(operator.getByRole("link", { name: /^Undoes change \d+$/ })).toBeVisible({ timeout: 30_000 });
  await expect(operator.getByText(en("proof.live"))).toBeVisible({ timeout: 60_000 });
});

test("on a phone, in French, what nodes run is told; a viewer may not ask", async ({ as }) => {
  const operator = await as("operator", { locale: "fr-FR", viewport: phone, isMobile: true, hasTouch: true });
  await operator.goto("/vcl");
  await expect(operator.getByRole("heading", { name: fr("vcl.revisions") })).toBeVisible();
  expect(await operator.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
    phone.width,
  );
  const viewer = await as("viewer");
  await viewer.goto("/vcl");
  await expect(viewer.getByRole("main").getByRole("alert").first()).toBeVisible();
});

test("a draft is tried in one browser, and nobody else gets it", async ({ as, browser }) => {
  test.setTimeout(120_000);
  const operator = await as("operator");
  await operator.goto("/vcl/edit?cluster=varnish&from=node%3Avarnish-1");
  const text = operator.locator(".cm-content");
  await expect(text).toContainText("vcl 4.1;");
  await text.click();
  await operator.keyboard.press("Control+End");
  await operator.keyboard.insertText('\nsub vcl_deliver { set resp.http.X-Draft = "yes"; }\n');
  await operator.getByLabel(en("editor.why")).fill("Only for me at first");
  await operator.getByRole("button", { name: en("vcl.save") }).click();
  await operator.getByRole("button", { name: en("vcl.try.first") }).click();
  await operator.getByRole("button", { name: /^Try r\d+$/ }).click();
  await expect(operator.getByText(en("vcl.try.onlyMine"), { exact: true })).toHaveCount(2, {
    timeout: 60_000,
  });

  await operator.goto("/vcl");
  const panel = operator.getByRole("region", { name: en("vcl.try.title") });
  const enter = await panel
    .getByRole("link", { name: en("vcl.try.enter") })
    .first()
    .getAttribute("href");
  const [mine, others] = [await browser.newContext(), await browser.newContext()];
  const [visitor, stranger] = [await mine.newPage(), await others.newPage()];
  let asked = 0;
  // Each time another page: the cache in front of the nodes gives a copy that it has to everybody.
  const seen = async (page: Page) => {
    asked += 1;
    const address = new URL(`/fr/archive/${500 + asked}?look=${Date.now()}`, enter ?? "").href;
    const { "x-sluice-try": by, "x-draft": draft } = (await page.goto(address))?.headers() ?? {};
    return [by?.replace(/\d+$/, ""), draft];
  };
  await visitor.goto(enter ?? "");
  expect(await seen(visitor)).toEqual(["r", "yes"]);
  expect(await seen(stranger)).toEqual([undefined, undefined]);
  expect(await seen(visitor)).toEqual(["r", "yes"]);

  await panel.getByRole("button", { name: en("vcl.try.end") }).click();
  await expect(panel).toHaveCount(0, { timeout: 30_000 });
  expect(await seen(visitor)).toEqual([undefined, undefined]);
  await mine.close();
  await others.close();
});

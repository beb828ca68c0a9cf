// A site's status page: who sees it, that it speaks plainly without a script, in both languages, on a phone.
import AxeBuilder from "@axe-core/playwright";
import { expect, phone, sluiceAddress, test } from "./fixtures";
import { en, fr } from "./words";

// The stack's sluice.yaml: "site" is public, "shop" is for who has it.
const shown = "/status/site";
const hidden = "/status/shop";

test("a stranger sees the public one; the other looks like one that there is not", async ({ visitor }) => {
  const page = await visitor();
  await page.goto(shown);
  await expect(page.getByRole("heading", { name: en("status.days"), exact: true })).toBeVisible();
  expect(await page.context().cookies()).toEqual([]);
  await expect(page.locator('meta[name="robots"]')).toHaveAttribute("content", /noindex/);

  const bodies: string[] = [];
  for (const address of [hidden, "/status/nosuch"]) {
    const response = await page.goto(address);
    expect(response?.status()).toBe(404);
    bodies.push((await page.getByRole("main").textContent()) ?? "");
    await expect(page).toHaveTitle("Sluice");
  }
  expect(bodies[0]).toBe(bodies[1]);
});

test("an editor of another site is a stranger there; who has all sites is not", async ({ as }) => {
  const editor = await as("editor");
  expect((await editor.goto(hidden))?.status()).toBe(404);
  await editor.goto("/purge");
  await editor.getByRole("link", { name: /^Status of/ }).click();
  await expect(editor).toHaveURL(shown);
  const viewer = await as("viewer");
  expect((await viewer.goto(hidden))?.status()).toBe(200);
});

test("it tells nothing of what is behind the site", async ({ playwright }) => {
  const stranger = await playwright.request.newContext({ baseURL: sluiceAddress });
  const html = await (await stranger.get(shown)).text();
  expect(html).not.toMatch(/varnish-1|mariadb\/|127\.0\.0\.1|sluice-[a-z]+-php/);
  await stranger.dispose();
});

for (const [language, say] of [
  ["en", en],
  ["fr-FR", fr],
] as const)
  for (const colorScheme of ["light", "dark"] as const)
    test(`without a script, on a phone, ${language}, ${colorScheme}`, async ({ browser }) => {
      const context = await browser.newContext({
        baseURL: sluiceAddress,
        javaScriptEnabled: false,
        locale: language,
        colorScheme,
        viewport: phone,
      });
      const page = await context.newPage();
      await page.goto(shown);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await expect(page.getByText(say("status.history"))).toBeVisible();
      await expect(page.getByText(say("status.renews"), { exact: false })).toBeVisible();
      await context.close();

      const scripted = await browser.newContext({
        baseURL: sluiceAddress,
        locale: language,
        colorScheme,
        viewport: phone,
      });
      const seen = await scripted.newPage();
      await seen.goto(shown);
      expect(await seen.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
        phone.width,
      );
      const { violations } = await new AxeBuilder({ page: seen }).analyze();
      expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
      await scripted.close();
    });

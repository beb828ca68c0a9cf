// One address through all layers: who answers, what each did, and where a 404 begins.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, phone, siteAddress, test } from "./fixtures";
import { en, fr } from "./words";

async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}
const layer = (page: Page, kind: string) => page.locator(`ol > li[data-kind=${kind}]`);

test("an address is asked at each layer, and the second time the edge answers alone", async ({ as }) => {
  const operator = await as("operator");
  await operator.goto("/routing/trace");
  const address = `${siteAddress}/fr?trace=${Date.now()}`;
  await operator.getByLabel(en("trace.url")).fill(address);
  const ask = operator.getByRole("button", { name: en("trace.ask"), exact: true });
  await ask.click();
  await expect(layer(operator, "traefik")).toContainText(en("trace.route.taken", { router: "site@file" }));
  await expect(layer(operator, "varnish")).toHaveCount(2);
  await expect(layer(operator, "origin")).toContainText("200");
  await layer(operator, "edge")
    .getByText(/^\d+ headers$/)
    .click();
  await expect(layer(operator, "edge").getByText("cf-cache-status", { exact: true })).toBeVisible();
  expect(await serious(operator)).toEqual([]);
  await expect(ask).toBeEnabled();
  await ask.click();
  await expect(operator.getByRole("heading", { level: 2 })).toContainText(/from its cache/);
  // The address holds the question, not the answer: a link asks nothing by itself.
  await operator.reload();
  await expect(operator.getByLabel(en("trace.url"))).toHaveValue(address);
  await expect(operator.getByText(en("trace.empty"))).toBeVisible();

  await operator.getByLabel(en("trace.url")).fill("http://elsewhere.example/");
  await ask.click();
  await expect(operator.getByRole("main").getByRole("alert")).toContainText("elsewhere.example");
  await operator.getByLabel(en("trace.url")).fill(address);
  await operator.getByText(en("trace.more"), { exact: true }).click();
  await operator.getByLabel(en("routing.headers")).fill("Host: shop.localhost");
  await ask.click();
  await expect(operator.getByRole("main").getByRole("alert")).toContainText(
    en("problems.trace.ownHeader", { name: "Host" }),
  );
});

test("a 404 is traced to where it begins, on a phone, in French; a viewer may not ask", async ({ as }) => {
  const operator = await as("operator", { locale: "fr-FR", viewport: phone, isMobile: true, hasTouch: true });
  await operator.goto(`/routing/trace?url=${encodeURIComponent(`${siteAddress}/fr/rien-${Date.now()}`)}`);
  await operator.getByRole("button", { name: fr("trace.ask"), exact: true }).click();
  await expect(operator.getByRole("heading", { level: 2 })).toContainText("404");
  await expect(layer(operator, "origin")).toContainText("404");
  expect(await operator.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
    phone.width,
  );
  expect(await serious(operator)).toEqual([]);
  const viewer = await as("viewer");
  await viewer.goto(`/routing/trace?url=${encodeURIComponent(siteAddress)}`);
  await viewer.getByRole("button", { name: en("trace.ask"), exact: true }).click();
  await expect(viewer.getByRole("main").getByRole("alert")).toBeVisible();
});

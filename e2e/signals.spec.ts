// A component's charts from Prometheus: one range for all, closer by the mouse and by the keyboard, tables.
import { expect, phone, test } from "./fixtures";
import { en, fr } from "./words";

const plots = "figure [aria-hidden] svg.recharts-surface";

test("dragging over one chart looks closer in all, and back; the keyboard does the same", async ({ as }) => {
  const viewer = await as("viewer");
  await viewer.goto("/health/varnish/varnish-1?range=15m");
  const charts = viewer.locator(plots);
  await expect(charts.first()).toBeVisible({ timeout: 20_000 });
  expect(await charts.count()).toBeGreaterThan(3);
  const box = await charts.first().boundingBox();
  if (box === null) throw new Error("no chart");
  await viewer.mouse.move(box.x + box.width * 0.4, box.y + 60);
  await viewer.mouse.down();
  await viewer.mouse.move(box.x + box.width * 0.7, box.y + 60, { steps: 5 });
  await viewer.mouse.up();
  await expect(viewer).toHaveURL(/from=.*&to=/);
  const zoomed = new URL(viewer.url()).searchParams;
  const length = Date.parse(zoomed.get("to") ?? "") - Date.parse(zoomed.get("from") ?? "");
  expect(length).toBeGreaterThan(3 * 60_000);
  expect(length).toBeLessThan(7 * 60_000);
  await expect(charts.first()).toBeVisible();
  await viewer.getByRole("button", { name: en("signals.back") }).press("Enter");
  await expect(viewer).toHaveURL(/range=15m$/);
  await viewer.getByRole("button", { name: en("signals.closer") }).press("Enter");
  await expect(viewer).toHaveURL(/from=.*&to=/);
  await viewer.goBack();
  await expect(viewer).toHaveURL(/range=15m$/);
  // Another range is asked for anew: the chart goes and comes.
  await expect(charts.first()).toBeVisible({ timeout: 20_000 });
  const figure = viewer.locator("figure").first();
  await figure.locator("summary").press("Enter");
  await expect.poll(() => figure.locator("tbody tr").count()).toBeGreaterThan(30);
});

test("a range that makes no sense is refused in words", async ({ as }) => {
  const viewer = await as("viewer");
  await viewer.goto("/health/varnish/varnish-1?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z");
  await expect(viewer.getByText(en("problems.health.rangeBackwards"))).toBeVisible();
  await expect(viewer.locator(plots)).toHaveCount(0);
  await viewer.getByRole("button", { name: en("signals.ranges.1h"), exact: true }).click();
  await expect(viewer.locator(plots).first()).toBeVisible({ timeout: 20_000 });
});

test("on a phone, in French: states in words, and nothing wider than it", async ({ as }) => {
  const viewer = await as("viewer", { locale: "fr-FR", viewport: phone, isMobile: true, hasTouch: true });
  await viewer.goto("/health/redis/redis");
  await expect(viewer.locator(plots).first()).toBeVisible({ timeout: 20_000 });
  await expect(viewer.getByText(fr("signals.state.learning")).first()).toBeVisible({ timeout: 30_000 });
  expect(await viewer.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
});

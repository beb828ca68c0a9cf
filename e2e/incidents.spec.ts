// An incident by hand, from opening to post-mortem, and announced work; what opens by itself is in overview.spec.ts.
import { readFile } from "node:fs/promises";
import AxeBuilder from "@axe-core/playwright";
import { expect, phone, sluiceAddress, stack, test } from "./fixtures";
import { en, fr } from "./words";

test("opened by hand, looked after, noted, written up, closed", async ({ as }) => {
  const operator = await as("operator");
  await operator.goto("/incidents");
  await operator.getByRole("button", { name: en("incidents.open") }).click();
  const dialog = operator.getByRole("dialog");
  await dialog.getByLabel(en("incidents.title")).fill("Checkout is slow <b>now</b>");
  await dialog.getByLabel(en("incidents.note")).fill("Two customers rang.");
  await dialog.getByRole("button", { name: en("incidents.open") }).click();
  await expect(operator).toHaveURL(/\/incidents\/\d+$/);
  await expect(operator.getByRole("heading", { level: 1 })).toHaveText("Checkout is slow <b>now</b>");
  const address = operator.url();

  await operator.getByRole("button", { name: en("incidents.acknowledge") }).click();
  await expect(
    operator.getByText(en("incidents.looksAfter", { name: "Omar Ops" }), { exact: false }).first(),
  ).toBeVisible();
  await operator.getByRole("button", { name: en("incidents.assign") }).click();
  await operator.getByRole("dialog").getByLabel(en("incidents.assignee")).fill("Night shift");
  await operator
    .getByRole("dialog")
    .getByRole("button", { name: en("incidents.assign") })
    .click();
  await expect(
    operator.getByText(en("incidents.entries.assigned", { assignee: "Night shift" }), { exact: true }),
  ).toBeVisible();
  await operator.getByLabel(en("incidents.note")).fill("<script>alert(1)</script> the cache is cold");
  await operator.getByRole("button", { name: en("incidents.addNote") }).click();
  await expect(operator.getByText("<script>alert(1)</script> the cache is cold")).toBeVisible();
  await expect(operator.getByLabel(en("incidents.note"))).toHaveValue("");

  const download = operator.waitForEvent("download");
  await operator.getByRole("button", { name: en("incidents.postMortem") }).click();
  const text = await readFile(await (await download).path(), "utf8");
  expect(text).toContain("Checkout is slow");
  expect(text).toContain("Omar Ops");
  expect(text).not.toContain("<script>");

  // A viewer reads it, and can do nothing to it; on a phone, in French.
  const viewer = await as("viewer", { locale: "fr-FR", viewport: phone, isMobile: true, hasTouch: true });
  await viewer.goto("/incidents");
  await viewer
    .getByRole("link", { name: /Checkout is slow/ })
    .first()
    .click();
  await expect(viewer.getByText(fr("incidents.assignedTo", { name: "Night shift" })).first()).toBeVisible();
  await expect(viewer.getByRole("button", { name: fr("incidents.close") })).toHaveCount(0);
  await expect(viewer.getByLabel(fr("incidents.note"))).toHaveCount(0);
  expect(await viewer.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(phone.width);
  const { violations } = await new AxeBuilder({ page: viewer }).analyze();
  expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);

  await operator.getByRole("button", { name: en("incidents.close") }).click();
  await operator
    .getByRole("dialog")
    .getByRole("button", { name: en("incidents.close") })
    .click();
  await expect(operator.getByText(en("incidents.entries.closed"))).toBeVisible();
  await expect(operator.getByRole("button", { name: en("incidents.close") })).toHaveCount(0);
  // Heard by the one who only looks on.
  await expect(viewer.getByText(fr("incidents.entries.closed"))).toBeVisible();

  await operator.goto("/incidents");
  // The keys are heard when the rows are there.
  await expect(operator.locator("[data-row]").first()).toBeVisible();
  await operator.keyboard.press("j");
  await expect(operator.locator("[data-row]").first()).toBeFocused();
  await operator.goto(`${address}999`);
  await expect(operator.getByRole("main").getByRole("alert")).toBeVisible();
});

test("over before its notice was due: neither it nor its end is told", async ({ as }) => {
  const operator = await as("operator");
  const act = async (path: string, data: object) => {
    const answer = await operator.request.post(`/api/v1/incidents${path}`, {
      headers: { Origin: sluiceAddress },
      data,
    });
    expect(answer.ok(), await answer.text()).toBe(true);
    return (await answer.json()) as { readonly id: number };
  };
  const title = "Over in no time";
  const { id } = await act("", { title });
  await act(`/${id}/close`, {});
  await operator.goto("/incidents/notices");
  const told = operator.locator("li", { hasText: title });
  await expect(told.filter({ hasText: en("notices.states.suppressed") })).toHaveCount(2, { timeout: 30_000 });
  await expect(told).toHaveCount(2);
});

test("notices: a test arrives, a refusal is told in place, and what failed is tried again", async ({
  as,
  request,
}) => {
  const mail = `http://127.0.0.1:${stack.ports.mailHttp}`;
  const operator = await as("operator");
  await operator.goto("/incidents/notices");
  const button = operator.getByRole("button", { name: `${en("notices.sendTest")} mail` });
  await request.post(`${mail}/refuse`, {
    data: { code: 550, text: "nobody here by that name", at: "rcpt", count: 1 },
  });
  await button.click();
  await expect(operator.getByText(/nobody here by that name/).first()).toBeVisible();
  await operator
    .getByRole("button", { name: en("notices.retry") })
    .first()
    .click();
  await expect(operator.locator("li", { hasText: en("notices.events.test") }).first()).toContainText(
    en("notices.states.sent"),
  );
  await button.click();
  await expect(operator.getByText(en("notices.tested"))).toBeVisible();
  const taken = JSON.stringify(await (await request.get(`${mail}/messages`)).json());
  expect(taken).toContain(en("notices.test", { channel: "mail" }));
  // Viewers are not told who is told.
  const viewer = await as("viewer");
  await viewer.goto("/incidents/notices");
  await expect(viewer.getByRole("main").getByRole("alert").first()).toBeVisible();
});

test("announced work: what it is about, until when, and its end", async ({ as }) => {
  const operator = await as("operator");
  await operator.goto("/incidents");
  await operator.getByRole("button", { name: en("incidents.announce") }).click();
  const dialog = operator.getByRole("dialog");
  await dialog.getByLabel(en("incidents.work")).fill("Redis 8");
  await dialog.getByLabel("redis", { exact: true }).check();
  await dialog.getByRole("button", { name: en("incidents.announce") }).click();
  await expect(operator.getByRole("heading", { name: en("incidents.works") })).toBeVisible();
  await expect(operator.getByText("Redis 8").first()).toBeVisible();
  await operator.getByRole("button", { name: `${en("incidents.endWork")} Redis 8` }).click();
  await expect(operator.getByText("Redis 8")).toHaveCount(0);
});

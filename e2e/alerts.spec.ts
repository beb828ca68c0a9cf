// Alerts: seen as they fire, silenced after a look at what that reaches, heard again by the undo; on a phone, in French.
import AxeBuilder from "@axe-core/playwright";
import type { APIRequestContext, Locator, Page } from "@playwright/test";
import { expect, phone, stack, test } from "./fixtures";
import { en, fr } from "./words";

/** Gathered every ten seconds. */
const gathered = { timeout: 25_000 };

/** Tells the stack's Alertmanager of an alert, as Prometheus does. */
async function tell(request: APIRequestContext, name: string, ms: number, more: object = {}): Promise<void> {
  const answer = await request.post(`http://127.0.0.1:${stack.ports.alertmanager}/api/v2/alerts`, {
    data: [
      {
        labels: { alertname: name, severity: "warning", instance: "redis", job: "redis" },
        annotations: {
          summary: `<b>${name}</b> evicts`,
          description: "Keys are thrown away.",
          runbook_url: "docs/alerts.md#redisevicts",
        },
        endsAt: new Date(Date.now() + ms).toISOString(),
        ...more,
      },
    ],
  });
  expect(answer.ok()).toBe(true);
}

const section = (page: Page, title: string): Locator =>
  page.locator("section").filter({ has: page.getByRole("heading", { name: title }) });

test("seen with its component and runbook, silenced after a preview, and heard again by the undo", async ({
  as,
  request,
}) => {
  const name = `E2e${Date.now()}`;
  await tell(request, name, 600_000);
  try {
    const operator = await as("operator");
    await operator.goto("/incidents");
    await operator.getByRole("link", { name: en("incidents.alertsLink") }).click();
    await expect(operator).toHaveURL(/\/incidents\/alerts$/);
    const line = section(operator, en("alerts.states.firing")).locator(`[data-alert="${name}"]`);
    await expect(line).toBeVisible(gathered);
    await expect(line).toContainText(`<b>${name}</b> evicts`);
    // A path is no link of ours.
    await expect(line.getByText("docs/alerts.md#redisevicts")).toBeVisible();
    await expect(line.getByRole("link", { name: en("alerts.runbook") })).toHaveCount(0);
    await line.getByText(en("alerts.more")).click();
    await expect(line.getByText("alertname")).toBeVisible();

    // The first page says that something fires of which no incident tells.
    await operator.goto("/overview");
    await operator.getByRole("link", { name: `${en("overview.look")} ${en("alerts.title")}` }).click();
    await line.getByRole("link", { name: "redis", exact: true }).click();
    await expect(operator.getByRole("heading", { level: 1 })).toHaveText("redis");
    await expect(operator.locator(`[data-alert="${name}"]`)).toBeVisible();
    await operator.getByRole("link", { name: en("health.alerts"), exact: true }).click();

    // By the keyboard.
    await line.getByRole("button", { name: en("alerts.silenceNew") }).focus();
    await operator.keyboard.press("Enter");
    const dialog = operator.getByRole("dialog");
    await expect(dialog.getByText(en("alerts.reached", { count: 1 }))).toBeVisible();
    await expect(dialog.getByText(name, { exact: true }).last()).toBeVisible();
    const go = dialog.getByRole("button", { name: en("alerts.confirm", { time: "2 h" }) });
    // Nothing is silenced without a reason.
    await expect(go).toBeDisabled();
    const { violations } = await new AxeBuilder({ page: operator }).analyze();
    expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);

    // What does not parse is told where it stands.
    const value = dialog.getByLabel(en("alerts.valueOf")).first();
    await dialog.getByLabel(en("alerts.how"), { exact: true }).first().selectOption("=~");
    await value.fill("E2e(");
    await expect(dialog.getByText(/E2e\(.* 5\.$/)).toBeVisible();
    await expect(value).toHaveAttribute("aria-invalid", "true");
    await value.fill(`${name}|nothing`);
    await expect(dialog.getByText(en("alerts.reached", { count: 1 }))).toBeVisible();
    await dialog.getByLabel(en("alerts.reason")).fill("Cache is rebuilt");
    await go.click();

    await expect(operator).toHaveURL(/\/history\/\d+$/);
    await expect(operator.getByRole("heading", { level: 1 })).toHaveText(en("proof.silenced"), gathered);
    const change = operator.url();
    await operator.goto("/incidents/alerts");
    await expect(
      section(operator, en("alerts.states.silenced")).locator(`[data-alert="${name}"]`),
    ).toBeVisible();
    const silence = section(operator, en("alerts.silences")).getByRole("listitem").filter({ hasText: name });
    await expect(silence).toContainText("Cache is rebuilt");
    await expect(silence).toContainText("Omar Ops");

    // Who only looks on has no buttons; on a phone, in French.
    const viewer = await as("viewer", { locale: "fr-FR", viewport: phone, isMobile: true, hasTouch: true });
    await viewer.goto("/incidents/alerts");
    await expect(
      section(viewer, fr("alerts.states.silenced")).locator(`[data-alert="${name}"]`),
    ).toBeVisible();
    await expect(viewer.getByRole("button", { name: fr("alerts.silenceNew") })).toHaveCount(0);
    await expect(viewer.getByRole("button", { name: fr("alerts.expire") })).toHaveCount(0);
    expect(await viewer.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
      phone.width,
    );

    await operator.goto(change);
    await operator.getByRole("button", { name: en("act.undo") }).click();
    await expect(operator.getByRole("heading", { level: 1 })).toHaveText(en("proof.expired"), gathered);
    // Heard again, also by who only looks on.
    await expect(section(viewer, fr("alerts.states.firing")).locator(`[data-alert="${name}"]`)).toBeVisible(
      gathered,
    );
  } finally {
    await tell(request, name, 1000);
  }
});

test("what would silence everything must be typed; a silence is ended from the list", async ({
  as,
  request,
}) => {
  const name = `E2eList${Date.now()}`;
  await tell(request, name, 600_000, { annotations: { runbook_url: "https://wiki.example.org/redis" } });
  try {
    const operator = await as("operator");
    await operator.goto("/incidents/alerts");
    const line = operator.locator(`[data-alert="${name}"]`);
    await expect(line).toBeVisible(gathered);
    await expect(line.getByRole("link", { name: en("alerts.runbook") })).toHaveAttribute(
      "href",
      "https://wiki.example.org/redis",
    );
    await operator.getByRole("button", { name: en("alerts.silenceNew"), exact: true }).click();
    const dialog = operator.getByRole("dialog");
    await dialog.getByLabel(en("alerts.label")).fill("alertname");
    await dialog.getByLabel(en("alerts.how"), { exact: true }).selectOption("=~");
    await dialog.getByLabel(en("alerts.valueOf")).fill(".*");
    await expect(dialog.getByText(en("problems.alerts.matchesEmpty"))).toBeVisible();
    await dialog.getByLabel(en("alerts.valueOf")).fill(".+");
    await expect(dialog.getByText(en("alerts.broad"))).toBeVisible();
    await dialog.getByLabel(en("alerts.reason")).fill("All of it");
    await expect(dialog.getByRole("button", { name: en("alerts.confirm", { time: "2 h" }) })).toBeDisabled();
    // One alert of it, then.
    await dialog.getByLabel(en("alerts.valueOf")).fill(`${name}.?`);
    await expect(dialog.getByText(en("alerts.broad"))).toHaveCount(0);
    await dialog.getByRole("button", { name: en("alerts.confirm", { time: "2 h" }) }).click();
    await expect(operator.getByRole("heading", { level: 1 })).toHaveText(en("proof.silenced"), gathered);
    await operator.goto("/incidents/alerts");
    const silence = section(operator, en("alerts.silences")).getByRole("listitem").filter({ hasText: name });
    await silence.getByRole("button", { name: en("alerts.expire") }).click();
    await expect(silence).toHaveCount(0, gathered);
    await expect(
      section(operator, en("alerts.states.firing")).locator(`[data-alert="${name}"]`),
    ).toBeVisible();
  } finally {
    await tell(request, name, 1000);
  }
});

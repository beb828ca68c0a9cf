// Every room, light and dark: axe finds nothing serious, and nothing reaches past the edge of a phone.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, phone, stack, test } from "./fixtures";

const rooms = [
  "/overview",
  "/health/mariadb/mariadb",
  "/incidents",
  "/incidents/notices",
  "/incidents/alerts",
  "/purge",
  "/purge?by=urls",
  "/purge?by=everything",
  "/services",
  "/services/images",
  "/services/swarm",
  `/services/engine/${stack.containers["varnish-1"]}`,
  `/services/logs?of=engine/${stack.containers.nginx}`,
  "/vcl",
  "/vcl/edit?cluster=varnish&from=node%3Avarnish-1",
  "/vcl/nodes/varnish-1",
  "/routing?url=http%3A%2F%2Fsite.localhost%2Ffr",
  "/routing/trace?url=http%3A%2F%2Fsite.localhost%2Ffr",
  "/routing/edit?traefik=traefik",
  "/routing/acts?traefik=traefik&act=route",
  "/routing/acts?traefik=traefik&act=basicAuth",
  "/routing/acts?traefik=traefik&act=maintenance",
  "/routing/revisions?traefik=traefik",
  "/history",
  "/settings/connections",
  "/settings/users",
  "/settings/account",
  "/settings/api",
];

/** Shown, with its data: nothing is loading any more. */
async function settled(page: Page): Promise<void> {
  await expect(page.getByRole("heading", { level: 1 }).first()).toBeVisible();
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0);
}

async function serious(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`signed out, ${colorScheme}`, async ({ visitor }) => {
    const page = await visitor({ colorScheme });
    await page.goto("/sign-in");
    await settled(page);
    expect(await serious(page)).toEqual([]);
  });

  for (const room of rooms) {
    test(`${room}, ${colorScheme}`, async ({ as }) => {
      const page = await as("admin", { colorScheme });
      await page.goto(room);
      await settled(page);
      expect(await serious(page)).toEqual([]);
    });
  }
}

for (const room of rooms) {
  test(`${room} fits a phone`, async ({ as }) => {
    const page = await as("admin", { viewport: phone, isMobile: true, hasTouch: true });
    await page.goto(room);
    await settled(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(phone.width);
    // What is hidden must not make the frame itself scroll away.
    expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThanOrEqual(
      phone.height,
    );
    expect(await serious(page)).toEqual([]);
  });
}

for (const room of rooms.filter((one) => /^\/(services|overview|health|incidents)/.test(one))) {
  test(`${room} in French`, async ({ as }) => {
    const page = await as("admin", { locale: "fr-FR" });
    await page.goto(room);
    await settled(page);
    expect(await serious(page)).toEqual([]);
  });
}

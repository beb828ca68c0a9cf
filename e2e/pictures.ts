// Draws docs/images from the real thing: `SLUICE_PICTURES=docs/images npx playwright test --project pictures`, on a Sluice and stack that run.
import { expect, fill, phone, publish, siteAddress, stack, test } from "./fixtures";
import { en, fr } from "./words";

const folder = process.env.SLUICE_PICTURES ?? "docs/images";

test("the editor's page, in French, on a phone", async ({ as, visitor, article }) => {
  const editor = await as("editor", {
    locale: "fr-FR",
    viewport: phone,
    isMobile: true,
    hasTouch: true,
    deviceScaleFactor: 2,
  });
  await fill(editor, article.paths.fr);
  await publish(await visitor(), article, "Le carnaval des rives", null);
  await editor.goto(`/purge?url=${encodeURIComponent(siteAddress + article.paths.fr)}`);
  await expect(editor.getByRole("button", { name: fr("purge.seeDetail") })).toBeVisible();
  await editor.screenshot({ path: `${folder}/purge-editor.png` });
  await editor.getByRole("button", { name: fr("purge.button"), exact: true }).click();
  await expect(editor.getByRole("heading", { level: 1, name: fr("purge.freshTitle") })).toBeVisible({
    timeout: 15_000,
  });
  await editor.screenshot({ path: `${folder}/purge-editor-fresh.png` });
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`a proof, ${colorScheme}`, async ({ as, visitor, article }) => {
    const operator = await as("operator", { viewport: { width: 1440, height: 1000 }, colorScheme });
    await fill(operator, article.paths.fr);
    await publish(await visitor(), article, "La fête des lanternes", null);
    await operator.goto(`/purge?url=${encodeURIComponent(siteAddress + article.paths.fr)}`);
    await operator.getByRole("button", { name: en("purge.button"), exact: true }).click();
    await expect(operator.getByRole("heading", { level: 1, name: en("purge.freshTitle") })).toBeVisible({
      timeout: 15_000,
    });
    const change = new URL(operator.url()).searchParams.get("change");
    await operator.goto(`/history/${change}`);
    await expect(operator.getByText(en("proof.title"))).toBeVisible();
    await operator.screenshot({ path: `${folder}/proof${colorScheme === "dark" ? "-dark" : ""}.png` });
  });
}

test("connections, history, many pages", async ({ as }) => {
  const operator = await as("operator", { viewport: { width: 1440, height: 900 } });
  await operator.goto("/settings/connections");
  await expect(operator.getByText("varnish-2", { exact: true }).first()).toBeVisible();
  await operator.screenshot({ path: `${folder}/connections.png` });
  await operator.goto("/history");
  await expect(operator.locator("[data-row]").first()).toBeVisible();
  await operator.screenshot({ path: `${folder}/history.png` });
});

test("services", async ({ as }) => {
  const operator = await as("operator", { viewport: { width: 1440, height: 900 } });
  await operator.goto(`/services?project=${stack.composeProject}`);
  await expect(operator.getByText(stack.containers.redis ?? "", { exact: true }).first()).toBeVisible();
  // Sparklines want a few steps of ten seconds.
  await operator.waitForTimeout(45_000);
  await operator.screenshot({ path: `${folder}/services.png` });
});

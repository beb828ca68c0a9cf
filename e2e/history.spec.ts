// History: what was done is found again, by filters that live in the address; its proof, and its export.
import { expect, phone, siteAddress, sluiceAddress, stateFile, test } from "./fixtures";
import { en } from "./words";

test("a purge is found by its address, opened, and shows its proof layer by layer", async ({
  as,
  article,
}) => {
  const operator = await as("operator");
  await operator.goto(`/purge?url=${encodeURIComponent(siteAddress + article.paths.fr)}`);
  await operator.getByRole("button", { name: en("purge.button"), exact: true }).click();
  await expect(operator.getByRole("heading", { level: 1, name: en("purge.freshTitle") })).toBeVisible({
    timeout: 15_000,
  });

  const slug = article.paths.fr.split("/").at(-1) ?? "";
  await operator.goto("/history");
  await operator.getByLabel(en("history.search")).fill(slug);
  await expect(operator).toHaveURL(new RegExp(`search=${slug}`));
  await operator.getByLabel(en("history.outcome"), { exact: true }).selectOption("fresh");
  await expect(operator).toHaveURL(/outcome=fresh/);
  // The filters are in the address: it can be pasted.
  await operator.reload();
  await expect(operator.getByLabel(en("history.search"))).toHaveValue(slug);

  await operator.locator("[data-row]").first().click();
  await expect(operator).toHaveURL(/\/history\/\d+$/);
  const main = operator.getByRole("main");
  await expect(main.getByText(en("proof.title"))).toBeVisible();
  for (const layer of ["varnish-1", "varnish-2", "redis", "nginx", "cloudflare-site"])
    await expect(main.getByText(layer, { exact: true }).first()).toBeVisible();
});

test("what is typed before the page's script has come is looked for too", async ({ as }) => {
  const operator = await as("operator");
  const held: (() => void)[] = [];
  let open = false;
  await operator.route(/\/_next\/static\/.*\.js/, async (route) => {
    if (!open) await new Promise<void>((resolve) => held.push(resolve));
    await route.continue();
  });
  await operator.goto("/history", { waitUntil: "commit" });
  await operator.getByLabel(en("history.search")).fill("zebra-crossing-nobody");
  open = true;
  for (const go of held) go();
  await expect(operator).toHaveURL(/search=zebra-crossing-nobody/);
  await expect(operator.getByText(en("history.noMatch"))).toBeVisible();
});

test("a purge of many pages can be asked for again with what it named", async ({ as, article }) => {
  const operator = await as("operator");
  const urls = [article.paths.fr, article.paths.en].map((path) => siteAddress + path);
  const made = await operator.request.post("/api/v1/purges", {
    headers: { Origin: sluiceAddress },
    data: { target: { by: "url", urls }, mode: "soft" },
  });
  expect(made.ok()).toBe(true);
  const { id } = (await made.json()) as { id: number };
  await operator.goto(`/history/${id}`);
  await operator.getByRole("link", { name: en("act.purgeAgain") }).click({ timeout: 20_000 });
  await expect(operator.getByLabel(en("wide.urls.field"))).toHaveValue(urls.join("\n"));
  await expect(operator.getByRole("radio", { name: en("wide.soft") })).toBeChecked();
});

test("what matches nothing offers to clear the filters; j and k walk the rows", async ({ as }) => {
  const operator = await as("operator");
  await operator.goto("/history?search=zebra-crossing-nobody");
  await expect(operator.getByText(en("history.noMatch"))).toBeVisible();
  await operator
    .getByRole("main")
    .getByRole("link", { name: en("history.clear") })
    .first()
    .click();
  await expect(operator).toHaveURL(/\/history$/);
  await expect(operator.locator("[data-row]").first()).toBeVisible();
  await operator.keyboard.press("j");
  await expect(operator.locator("[data-row]").first()).toBeFocused();
});

test("the export has the same rows, as CSV and as JSON", async ({ playwright }) => {
  const api = await playwright.request.newContext({
    baseURL: sluiceAddress,
    storageState: stateFile("operator"),
  });
  const csv = await api.get("/api/v1/changes/export?format=csv");
  expect(csv.headers()["content-type"]).toContain("text/csv");
  const [head = "", ...lines] = (await csv.text()).trim().split(/\r?\n/);
  expect(head).toContain("id");
  const rows: unknown = await (await api.get("/api/v1/changes/export?format=json")).json();
  expect(Array.isArray(rows) && rows.length).toBe(lines.length);
  await api.dispose();
});

test("an editor sees the changes of the own sites, on a phone too", async ({ as }) => {
  const editor = await as("editor", { viewport: phone, isMobile: true, hasTouch: true });
  await editor.goto("/history");
  await expect(editor.locator("[data-row]").first()).toBeVisible();
  expect(await editor.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(phone.width);
});

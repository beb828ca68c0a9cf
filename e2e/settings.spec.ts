// Settings: every system with its state, the purge doctor, users, and the own account with its second factor.
import { createHmac } from "node:crypto";
import { expect, people, siteAddress, sluiceAddress, stateFile, test } from "./fixtures";
import { en, fr } from "./words";

test("every system of the stack is up, each with its latency", async ({ as }) => {
  const operator = await as("operator");
  await operator.goto("/settings/connections");
  const main = operator.getByRole("main");
  for (const name of [
    "varnish-1",
    "varnish-2",
    "nginx",
    "redis",
    "mariadb",
    "cloudflare-site",
    "cloudflare-shop",
  ]) {
    const row = main.getByRole("listitem").filter({ has: operator.getByText(name, { exact: true }) });
    await expect(row.getByText(en("connections.states.up"), { exact: true }).first()).toBeVisible({
      timeout: 30_000,
    });
  }
});

for (const name of ["varnish-1", "cloudflare-site"]) {
  test(`the purge doctor finds nothing broken in ${name}`, async ({ as }) => {
    const operator = await as("operator");
    await operator.goto("/settings/connections");
    const row = operator
      .getByRole("main")
      .getByRole("listitem")
      .filter({ has: operator.getByText(name, { exact: true }) });
    await row.getByRole("button", { name: en("doctorPage.button") }).click();
    const dialog = operator.getByRole("dialog");
    await expect(dialog.getByRole("button", { name: en("doctorPage.again") })).toBeEnabled({
      timeout: 30_000,
    });
    await expect(dialog.getByText(en("doctorPage.status.ok"), { exact: true }).first()).toBeVisible();
    await expect(dialog.getByText(en("doctorPage.status.fail"), { exact: true })).toHaveCount(0);
  });
}

test("an administrator makes a user, whose password is shown once", async ({ as }) => {
  const admin = await as("admin");
  await admin.goto("/settings/users");
  await expect(admin.getByText(people.editor.email)).toBeVisible();
  await admin.getByRole("button", { name: en("users.new") }).click();
  const dialog = admin.getByRole("dialog");
  const email = `new-${Date.now().toString(36)}@example.org`;
  await dialog.getByLabel(en("users.name"), { exact: true }).fill("Nina New");
  await dialog.getByLabel(en("signIn.email")).fill(email);
  await dialog.getByRole("button", { name: en("users.make") }).click();
  await expect(admin.getByText(en("users.passwordText"))).toBeVisible();
  await admin.reload();
  await expect(admin.getByText(email)).toBeVisible();
});

/** What an authenticator app shows, by RFC 6238. */
function codeOf(secret: string, at = Date.now()): string {
  const bits = [...secret.replaceAll("=", "")]
    .map((letter) =>
      "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter.toUpperCase()).toString(2).padStart(5, "0"),
    )
    .join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const hash = createHmac("sha1", key).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

test("sign-in by the page: first password, then with a second factor", async ({ playwright, visitor }) => {
  const email = `totp-${Date.now().toString(36)}@example.org`;
  const password = "correct horse battery 9";
  const admin = await playwright.request.newContext({
    baseURL: sluiceAddress,
    extraHTTPHeaders: { Origin: sluiceAddress },
    storageState: stateFile("admin"),
  });
  const made = await admin.post("/api/v1/users", {
    data: { name: "Tom Totp", email, role: "viewer", sites: [] },
  });
  const { password: once } = await made.json();
  await admin.dispose();

  const page = await visitor();
  const signIn = async (secret: string) => {
    await page.goto("/sign-in");
    await page.getByLabel(en("signIn.email")).fill(email);
    await page.getByLabel(en("signIn.password")).fill(secret);
    await page.getByRole("button", { name: en("signIn.button"), exact: true }).click();
  };
  await signIn(once);
  await expect(page.getByRole("heading", { name: en("password.title") })).toBeVisible();
  await page.goto("/history");
  await expect(
    page.getByRole("heading", { name: en("password.title") }),
    "no other room before",
  ).toBeVisible();
  await page.getByLabel(en("password.given")).fill(once);
  await page.getByLabel(en("password.new")).fill(password);
  await page.getByRole("button", { name: en("password.button") }).click();
  await expect(page).toHaveURL(/\/overview$/);

  await page.goto("/settings/account");
  const begin = page.getByRole("button", { name: en("account.beginSecondFactor") });
  await page.locator("form").filter({ has: begin }).getByLabel(en("account.current")).fill(password);
  await begin.click();
  await expect(page.getByRole("img", { name: en("account.picture") })).toBeVisible();
  const secret = (await page.locator("code").first().textContent()) ?? "";
  await page.getByLabel(en("signIn.code")).fill(codeOf(secret));
  await page.getByRole("button", { name: en("account.confirmSecondFactor") }).click();
  await expect(page.getByRole("button", { name: en("account.endSecondFactor") })).toBeVisible();

  await page.context().clearCookies();
  await signIn(password);
  await expect(page.getByRole("heading", { name: en("signIn.codeTitle") })).toBeVisible();
  await page.getByLabel(en("signIn.code")).fill("000000");
  await page.getByRole("button", { name: en("signIn.button"), exact: true }).click();
  await expect(
    page.getByRole("heading", { name: en("signIn.codeTitle") }),
    "a wrong code does not let in",
  ).toBeVisible();
  await page.getByLabel(en("signIn.code")).fill(codeOf(secret));
  await page.getByRole("button", { name: en("signIn.button"), exact: true }).click();
  await expect(page).toHaveURL(/\/overview$/);
});

test("French from the browser's wish, and the address of the page stays", async ({ as }) => {
  const editor = await as("editor", { locale: "fr-FR" });
  await editor.goto(`/purge?url=${encodeURIComponent(`${siteAddress}/fr`)}`);
  await expect(editor.getByRole("heading", { level: 1, name: fr("purge.title") })).toBeVisible();
  await expect(editor.locator("html")).toHaveAttribute("lang", "fr");
});

test("the REST API has a page that can be read", async ({ as }) => {
  const viewer = await as("viewer");
  await viewer.goto("/settings/api");
  await expect(viewer.getByText("/purges/{id}", { exact: false }).first()).toBeVisible();
});

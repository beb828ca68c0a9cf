// Which router takes an address: Traefik's own, by its rules as they are now.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, phone, stack, test } from "./fixtures";
import { en, fr } from "./words";

const exec = promisify(execFile);

test("an address is taken by its router, and why not by the others", async ({ as }) => {
  const operator = await as("operator");
  await operator.goto("/overview");
  await operator.getByRole("link", { name: en("rooms.routing"), exact: true }).click();
  const field = operator.getByLabel(en("routing.url"));
  await field.fill("http://site.localhost/fr/a%2Fb");
  const takes = (name: string) =>
    operator.getByRole("heading", { name: en("routing.takes", { point: "web", address: ":80", name }) });
  await expect(takes("site@file")).toBeVisible();
  await expect(operator).toHaveURL(/url=http/);
  await expect(
    operator.getByText(en("routing.seen", { tls: "false", host: "site.localhost", path: "/fr/a%2Fb" })),
  ).toBeVisible();
  const line = (name: string) =>
    operator.locator("ol > li", { has: operator.getByText(name, { exact: true }) });
  await expect(line("others@file")).toContainText(en("routing.states.later"));
  await expect(line("shop@file")).toContainText(en("routing.states.misses"));
  await expect(line("shop@file")).toContainText("Host(`shop.localhost`)");
  // The address is the question: it can be pasted.
  await operator.reload();
  await expect(takes("site@file")).toBeVisible();

  await field.fill("http://nobody.example/");
  await expect(takes("others@file")).toBeVisible();
  await field.fill("https://site.localhost/");
  await expect(operator.getByText(en("routing.noneTls"))).toBeVisible();
  await field.fill("http://site.localhost/100%");
  await expect(operator.getByRole("main").getByRole("alert")).toContainText(en("problems.routing.path"));
  await field.fill("not an address");
  await expect(operator.getByRole("main").getByRole("alert")).toContainText(en("problems.routing.url"));

  await field.fill("http://site.localhost/");
  await operator.getByText(en("routing.details")).click();
  await operator.getByLabel(en("routing.headers")).fill("Host: shop.localhost");
  await expect(takes("shop@file")).toBeVisible();
  await operator.getByLabel(en("routing.client")).fill("300.1.1.1");
  await expect(operator.getByRole("main").getByRole("alert")).toContainText(en("problems.routing.client"));
});

test("a Traefik that hangs says so, on a phone, in French; who may not ask is told", async ({ as }) => {
  const operator = await as("operator", { locale: "fr-FR", viewport: phone, isMobile: true, hasTouch: true });
  const traefik = stack.containers.traefik ?? "";
  await exec("docker", ["pause", traefik]);
  try {
    await operator.goto("/routing?url=http%3A%2F%2Fsite.localhost%2Ffr");
    await expect(operator.getByRole("main").getByRole("alert").first()).toContainText("127.0.0.1");
  } finally {
    await exec("docker", ["unpause", traefik]);
  }
  await operator.reload();
  await expect(operator.getByText(fr("routing.states.taken"), { exact: true })).toBeVisible();
  expect(await operator.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
    phone.width,
  );
  const viewer = await as("viewer");
  await viewer.goto("/routing?url=http%3A%2F%2Fsite.localhost%2Ffr");
  await expect(viewer.getByRole("main").getByRole("alert")).toBeVisible();
  await expect(viewer.getByRole("link", { name: en("rooms.routing"), exact: true })).toHaveCount(0);
});

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

test("what Traefik has is listed, and found by a word; the address holds both", async ({ as }) => {
  const operator = await as("operator");
  await operator.goto("/routing");
  const listed = (what: "routers" | "services" | "entryPoints") =>
    operator.getByRole("region", { name: `traefik: ${en(`routing.overview.lists.${what}`)}`, exact: true });
  const named = (name: string) => listed("routers").getByText(name, { exact: true });
  await expect(named("site@file")).toBeVisible();
  await expect(named("shop@file")).toBeVisible();
  const field = operator.getByLabel(en("routing.overview.find"));
  await field.fill("shop.localhost");
  await expect(named("site@file")).toHaveCount(0);
  await expect(named("shop@file")).toBeVisible();
  await expect(operator).toHaveURL(/find=shop\.localhost/);
  await field.fill("nothing is called so");
  await expect(listed("routers").getByText(en("routing.overview.nothingFound"))).toBeVisible();
  await field.fill("varnish@file");
  await operator.getByRole("button", { name: en("routing.overview.lists.services"), exact: true }).click();
  await expect(operator).toHaveURL(/show=services/);
  await expect(listed("services").getByText("varnish@file", { exact: true })).toBeVisible();
  await expect(listed("routers")).toHaveCount(0);
  await operator.reload();
  await expect(listed("services").getByText("varnish@file", { exact: true })).toBeVisible();
  await operator.getByRole("button", { name: en("routing.overview.lists.entryPoints"), exact: true }).click();
  await field.fill("");
  await expect(listed("entryPoints").getByText(":80", { exact: true })).toBeVisible();
});

test("what wants a look is told, and the example of a tie is a question that is answered so", async ({
  as,
}) => {
  const traefik = stack.containers.traefik ?? "";
  const file = "/etc/traefik/dynamic/e2e-overview.yml";
  const router = (rule: string, service: string) => ({ rule, service, entryPoints: ["web"], priority: 700 });
  // JSON is YAML.
  const text = JSON.stringify({
    http: {
      routers: {
        "e2e-header": router("Host(`tie.localhost`) && Header(`X-Tie`, `1`)", "noop@internal"),
        "e2e-client": router("ClientIP(`198.51.100.0/24`) && PathPrefix(`/`)", "api@internal"),
        "e2e-broken": router("Host(`broken.localhost`)", "e2e-gone"),
      },
    },
  });
  const operator = await as("operator");
  const write = 'printf %s "$1" > "$2.new" && mv "$2.new" "$2"';
  await exec("docker", ["exec", traefik, "sh", "-c", write, "sh", text, file]);
  try {
    await expect(async () => {
      await operator.goto("/routing");
      const overview = operator.getByRole("region", { name: en("routing.overview.title"), exact: true });
      const off = en("routing.overview.routerOff", { name: "e2e-broken@file", protocol: "http" });
      await expect(overview.getByText(off)).toBeVisible();
    }).toPass({ timeout: 40_000 });
    const problems = operator.getByRole("region", { name: "traefik", exact: true });
    await expect(
      problems.getByText(en("routing.overview.faults.serviceMissing", { name: "e2e-gone@file" })),
    ).toBeVisible();
    const tie = problems.getByRole("listitem").filter({ hasText: "e2e-header@file" });
    await expect(tie).toContainText("e2e-client@file");
    await expect(tie).toContainText(en("routing.overview.exampleFrom", { client: "198.51.100.0" }));
    await tie.getByRole("link", { name: "GET http://tie.localhost/" }).click();
    await expect(operator.getByLabel(en("routing.client"))).toHaveValue("198.51.100.0");
    await expect(operator.getByLabel(en("routing.headers"))).toHaveValue("x-tie: 1");
    const answer = operator.getByRole("region", { name: `${en("routing.title")}: traefik`, exact: true });
    await expect(answer.getByText(en("routing.states.tie"), { exact: true })).toBeVisible();
    // What somebody writes himself does not stand in the address.
    await operator.getByLabel(en("routing.headers")).fill("X-Tie: 2");
    await expect(operator).not.toHaveURL(/headers=/);
    await expect(answer.getByText(en("routing.states.tie"), { exact: true })).toHaveCount(0);
    await expect(operator.getByLabel(en("routing.headers"))).toHaveValue("X-Tie: 2");
  } finally {
    await exec("docker", ["exec", traefik, "rm", "-f", file]);
  }
});

test("a Traefik that hangs says so, on a phone, in French; who may not ask is told", async ({ as }) => {
  const operator = await as("operator", { locale: "fr-FR", viewport: phone, isMobile: true, hasTouch: true });
  const traefik = stack.containers.traefik ?? "";
  await exec("docker", ["pause", traefik]);
  try {
    await operator.goto("/routing?url=http%3A%2F%2Fsite.localhost%2Ffr");
    const answer = operator.getByRole("region", { name: `${fr("routing.title")}: traefik`, exact: true });
    const overview = operator.getByRole("region", { name: fr("routing.overview.title"), exact: true });
    await expect(answer.getByRole("alert")).toContainText("127.0.0.1");
    // What others saw a moment before is shown until it is asked again.
    await expect(overview.getByRole("alert")).toContainText("127.0.0.1", { timeout: 30_000 });
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

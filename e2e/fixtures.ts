// The base of every end-to-end test: people who are signed in, the lab's back office, and no error in the console.
import { readFileSync } from "node:fs";
import {
  type APIRequestContext,
  type APIResponse,
  type Browser,
  type BrowserContext,
  test as base,
  expect,
  type Page,
} from "@playwright/test";
import * as z from "zod";

export { expect } from "@playwright/test";

export const people = {
  admin: {
    name: "Ada Admin",
    email: "ada@example.org",
    password: "correct horse battery 1",
    role: "admin",
    sites: [],
  },
  operator: {
    name: "Omar Ops",
    email: "omar@example.org",
    password: "correct horse battery 2",
    role: "operator",
    sites: [],
  },
  editor: {
    name: "Élise Éditrice",
    email: "elise@example.org",
    password: "correct horse battery 3",
    role: "editor",
    sites: ["site"],
  },
  viewer: {
    name: "Vera Viewer",
    email: "vera@example.org",
    password: "correct horse battery 4",
    role: "viewer",
    sites: [],
  },
} as const;
export type Person = keyof typeof people;

/** Where a person's cookies are kept, so that each signs in once. */
export const stateFile = (person: Person): string => `test-results/.people/${person}.json`;

export const sluiceAddress = process.env.SLUICE_E2E_URL ?? "http://localhost:3000";
export const dataFolder = process.env.SLUICE_E2E_DATA ?? ".lab/test/sluice";
export const stack = z
  .object({
    composeProject: z.string(),
    containers: z.record(z.string(), z.string()),
    ports: z.object({
      edge: z.int(),
      varnish1: z.int(),
      varnish2: z.int(),
      origin: z.int(),
      mailHttp: z.int(),
      alertmanager: z.int(),
    }),
  })
  .parse(JSON.parse(readFileSync(process.env.SLUICE_STACK ?? ".lab/test/stack.json", "utf8")));
export const siteAddress = `http://site.localhost:${stack.ports.edge}`;
export const shopAddress = `http://shop.localhost:${stack.ports.edge}`;

export type Phone = { readonly width: number; readonly height: number };
export const phone: Phone = { width: 360, height: 740 };

/** What a browser may say without anything being wrong. */
const harmless: readonly RegExp[] = [
  // A refused request is the server's right answer where a test asks for it; the page has to say so.
  /Failed to load resource: the server responded with a status of 4\d\d/,
  // A container that starts or ends changes this machine's interfaces, and Chromium gives up what it was loading; the page asks again.
  /Failed to load resource: net::ERR_NETWORK_CHANGED/,
];

function watch(page: Page, errors: string[]): void {
  page.on("pageerror", (error) => errors.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    // The lab's own site is not what is tested.
    if (!/^https?:\/\/(localhost|127\.0\.0\.1)/.test(page.url())) return;
    const text = message.text();
    if (message.type() === "error" && !harmless.some((pattern) => pattern.test(text))) {
      errors.push(`${page.url()}: ${text.slice(0, 400)}`);
    }
  });
}

export type Article = {
  readonly id: number;
  readonly paths: Readonly<Record<"fr" | "en", string>>;
  readonly revision: number;
};

/** Asks a server of the stack for a page of the site: browsers know *.localhost, other programs may not. */
const asSite = (api: APIRequestContext, port: number, path: string): Promise<APIResponse> =>
  api.get(`http://127.0.0.1:${port}${path}`, { headers: { Host: "site.localhost" } });

type Fixtures = {
  /** A fresh page of a signed-in person; its console is watched. */
  as: (person: Person, options?: Parameters<Browser["newContext"]>[0]) => Promise<Page>;
  /** A browser that has never been here: nothing stored, nothing cached. */
  visitor: (options?: Parameters<Browser["newContext"]>[0]) => Promise<Page>;
  /** An article of the lab's site that no other test of this run uses. */
  article: Article;
};

let taken = 0;

export const test = base.extend<Fixtures & { errors: string[] }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's needs from this pattern.
  errors: async ({}, use) => {
    const errors: string[] = [];
    await use(errors);
    expect(errors, "errors in the browser's console").toEqual([]);
  },
  page: async ({ page, errors }, use) => {
    watch(page, errors);
    await use(page);
  },
  as: async ({ browser, errors }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (person, options = {}) => {
      const context = await browser.newContext({ storageState: stateFile(person), ...options });
      contexts.push(context);
      const page = await context.newPage();
      watch(page, errors);
      return page;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
  visitor: async ({ browser, errors }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ storageState: { cookies: [], origins: [] }, ...options });
      contexts.push(context);
      const page = await context.newPage();
      watch(page, errors);
      return page;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
  article: async ({ request }, use) => {
    const answer = await asSite(request, stack.ports.edge, "/admin/articles.json");
    const list = z
      .array(
        z.object({ id: z.int(), revision: z.int(), paths: z.object({ fr: z.string(), en: z.string() }) }),
      )
      .parse(await answer.json());
    // The slow pages and the newest ones come first; ordinary ones are further on.
    const found = list[10 + taken];
    taken += 1;
    if (!found) throw new Error("the lab has too few articles");
    await use(found);
  },
});

/** Publishes a new title in the lab's back office, as its editor does. Tells the caches only if `tell` says how. */
export async function publish(
  page: Page,
  article: Article,
  title: string,
  tell: string | null,
): Promise<void> {
  await page.goto(`${siteAddress}/admin/articles/${article.id}`);
  await page.getByLabel("Titre (français)").fill(title);
  await page.getByLabel("Title (English)").fill(`${title} (en)`);
  if (tell === null) await page.getByLabel("Tell the caches").uncheck();
  else await page.getByLabel("How", { exact: true }).selectOption(tell);
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByRole("status")).toContainText("Published");
}

/** Fills every layer with a page as it is now: a visitor's look in each way a browser and the server side have. */
export async function fill(page: Page, path: string): Promise<void> {
  for (let time = 0; time < 2; time += 1) await asSite(page.request, stack.ports.edge, path);
  for (const port of [stack.ports.varnish1, stack.ports.varnish2]) await asSite(page.request, port, path);
}

/** The heading that a new visitor sees at the public address. */
export async function headline(visitor: Fixtures["visitor"], path: string): Promise<string> {
  const page = await visitor();
  await page.goto(`${siteAddress}${path}`);
  return (await page.getByRole("heading", { level: 1 }).textContent())?.trim() ?? "";
}

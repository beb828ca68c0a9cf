// What leaves and what comes in: no secret goes to a page, and none is lost on the way back.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type House, openHouse } from "../../auth/house.fixture";
import type { Actor } from "../../changes/kind";
import { db } from "../../db/client";
import { type ActRequest, act } from "../edit/contract";
import { wholeRevision } from "./revisions";
import { acted, check, directories, filesNow, revision, save } from "./service";

const ada: Actor = { type: "user", id: "u1", name: "Ada", role: "operator", sites: null, scopes: null };
const hash = "$2y$05$abcdefghijklmnopqrstuu5sZ8e0p8Vw0c6n5vYqf1mJ9y1c3bW2e";
const text = `# Kept.
http:
  routers:
    shop: { rule: Host(\`shop.example\`), service: shop, middlewares: [door] }
  middlewares:
    door:
      basicAuth:
        users:
          - "ada:${hash}"
  services:
    shop: { loadBalancer: { servers: [{ url: "http://127.0.0.1:9" }] } }
`;
let house: House;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sluice-service-"));
  writeFileSync(join(directory, "shop.yml"), text);
  house = await openHouse(`
systems:
  traefik:
    - { name: edge, url: "http://127.0.0.1:9", directory: "${directory}", timeout: 300ms }
    - { name: bare, url: "http://127.0.0.1:9" }
`);
});
afterAll(async () => {
  await house.close();
  rmSync(directory, { recursive: true, force: true });
});

test("secrets leave as marks and are saved as they were, comments and all", async () => {
  const now = await filesNow("edge");
  expect(JSON.stringify(now)).not.toContain(hash);
  const changed = now.files.map((file) => ({ ...file, text: file.text.replace("# Kept.", "# Changed.") }));
  const row = await save({ traefik: "edge", files: changed, newest: null, parent: null }, ada);
  expect(row).toMatchObject({ number: 1, author: "Ada", origin: "saved", files: 1 });
  expect((await wholeRevision("edge", 1)).files).toEqual([
    { name: "shop.yml", text: text.replace("# Kept.", "# Changed.") },
  ]);
  expect(JSON.stringify(await revision("edge", 1))).not.toContain(hash);
  // Not there any more, but in a revision.
  writeFileSync(join(directory, "shop.yml"), "# gone\n");
  await save({ traefik: "edge", files: changed, newest: 1, parent: 1 }, ada);
  expect((await wholeRevision("edge", 2)).files[0]?.text).toContain(hash);
  expect(readdirSync(directory)).toEqual(["shop.yml"]);
});

test("what an act makes is kept until it is saved, and goes to no page", async () => {
  const { contents } = await revision("edge", 2);
  const request: ActRequest = {
    traefik: "edge",
    files: contents,
    act: act.parse({
      act: "basicAuth",
      name: "door",
      users: [{ name: "ada" }, { name: "bob", password: "a long password of bob" }],
      routers: ["shop"],
    }),
  };
  const draft = await acted(request);
  expect(JSON.stringify(draft)).not.toMatch(/\$2[aby]\$/);
  expect(draft[0]?.text).toContain("bob:");
  await save({ traefik: "edge", files: draft, newest: 2, parent: 2 }, ada);
  const saved = (await wholeRevision("edge", 3)).files[0]?.text ?? "";
  expect(saved).toContain(hash);
  expect(saved).toMatch(/bob:\$2[aby]\$10\$/);
});

test("a mark that nothing explains is refused; a Traefik that is down is said so", async () => {
  const files = [{ name: "a.yml", text: "# sluice-kept-0123456789abcdef\n" }];
  await expect(save({ traefik: "edge", files, newest: 3, parent: 3 }, ada)).rejects.toMatchObject({
    code: "INVALID_INPUT",
    detail: { problem: "routing.secretLost" },
  });
  expect((await check({ traefik: "edge", files: [{ name: "a.yml", text: "#\n" }] })).problem).not.toBeNull();
  await expect(filesNow("bare")).rejects.toMatchObject({ detail: { problem: "routing.noFiles" } });
  await expect(filesNow("nobody")).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await directories()).toMatchObject([
    { traefik: "edge", by: "directory", state: "up", served: null, newest: 3, expected: null },
    { traefik: "bare", by: "none", state: "none" },
  ]);
  expect(await db().routingRevision.count()).toBe(3);
});

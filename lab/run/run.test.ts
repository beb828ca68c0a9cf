// The pure parts of the lab's programs.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { plans, TokenBucket } from "../images/edge/limits.mjs";
import { CacheStore, keyOf, tagsOf, underPrefix } from "../images/edge/store.mjs";
import { contentHash, imageNames } from "./images.mjs";
import { must, run } from "./proc.mjs";
import {
  addressesOf,
  checkProject,
  choosePrefix,
  envFile,
  movedBy,
  portNames,
  portsFrom,
} from "./settings.mjs";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-lab-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("contentHash", () => {
  const write = () => {
    mkdirSync(join(folder, "sub"), { recursive: true });
    writeFileSync(join(folder, "Dockerfile"), "FROM x\n");
    writeFileSync(join(folder, "sub/start.sh"), "#!/bin/sh\n");
  };

  it("is of content, not of times", () => {
    write();
    const before = contentHash(folder, "base");
    expect(before).toMatch(/^[0-9a-f]{12}$/);
    utimesSync(join(folder, "Dockerfile"), 1, 1);
    expect(contentHash(folder, "base")).toBe(before);
  });

  it("changes with a byte, a name, a mode and the base", () => {
    write();
    const seen = new Set([contentHash(folder, "base"), contentHash(folder, "other")]);
    writeFileSync(join(folder, "sub/start.sh"), "#!/bin/bash\n");
    seen.add(contentHash(folder, "base"));
    chmodSync(join(folder, "sub/start.sh"), 0o755);
    seen.add(contentHash(folder, "base"));
    writeFileSync(join(folder, "more"), "");
    seen.add(contentHash(folder, "base"));
    expect(seen.size).toBe(5);
  });

  it("finds the images of the lab", () => {
    expect(imageNames()).toEqual(
      expect.arrayContaining([
        "edge",
        "mail",
        "mariadb",
        "monitor",
        "nginx",
        "nuxt",
        "php",
        "redis",
        "s3",
        "solr",
        "traefik",
        "varnish",
      ]),
    );
  });
});

describe("ports and networks", () => {
  it("lays ports out from a base, all different", () => {
    const ports = portsFrom(18000);
    expect(ports).toMatchObject({ edge: 18000, cloudflareApi: 18001, varnish2Admin: 18022, redis: 18050 });
    expect(new Set(Object.values(ports)).size).toBe(portNames.length);
    expect(() => portsFrom(65500)).toThrow("65500");
  });

  it("moves single ports", () => {
    expect(movedBy(portsFrom(18000), { LAB_PORT_EDGE: "8080" })).toMatchObject({ edge: 8080, redis: 18050 });
    expect(() => movedBy(portsFrom(18000), { LAB_PORT_EDGE: "http" })).toThrow("LAB_PORT_EDGE");
  });

  it("chooses a network that nobody has", () => {
    const first = choosePrefix("demo", []);
    expect(choosePrefix("demo", [])).toBe(first);
    expect(choosePrefix("demo", [`${first}.0/24`])).not.toBe(first);
    expect(choosePrefix("demo", [`${first}.128/26`])).not.toBe(first);
    expect(choosePrefix("demo", ["172.17.0.0/16", "fd00::/64"])).toBe(first);
    expect(() => choosePrefix("demo", ["10.0.0.0/8"])).toThrow("LAB_PREFIX");
    expect(addressesOf("10.213.7").bridge).toBe("10.213.7.1");
  });

  it("refuses names and values that would mean something else", () => {
    expect(checkProject("demo-2")).toBe("demo-2");
    for (const bad of ["", "Demo", "../x", "a b", "-x"]) expect(() => checkProject(bad)).toThrow("project");
    expect(envFile({ A: "1 2" })).toBe("A=1 2\n");
    expect(() => envFile({ A: "1\nB=2" })).toThrow("A");
  });
});

describe("programs", () => {
  it("are run by argument array: nothing is interpreted", async () => {
    const ran = await run(process.execPath, ["-p", "process.argv[1]", "$(id); `id`"]);
    expect(ran).toMatchObject({ code: 0, stdout: "$(id); `id`\n" });
  });

  it("a missing one is a code, a failing one an error with its words", async () => {
    expect((await run("no-such-program", [])).code).toBe(127);
    await expect(must(process.execPath, ["-e", "console.error('why'); process.exit(3)"])).rejects.toThrow(
      /ended with 3:\nwhy/,
    );
  });
});

describe("token bucket", () => {
  it("gives all or nothing and says how long to wait", () => {
    let now = 0;
    const bucket = new TokenBucket({ rate: 5, capacity: 25 }, () => now);
    expect(bucket.take(20)).toEqual({ ok: true, remaining: 5 });
    expect(bucket.take(20)).toEqual({ ok: false, remaining: 5, waitSeconds: 3 });
    now = 3000;
    expect(bucket.take(20)).toEqual({ ok: true, remaining: 0 });
    now = 60_000;
    expect(bucket.fullIn()).toBe(0);
  });

  it("has the documented plans", () => {
    expect(plans.free?.lookups).toEqual({ rate: 5 / 60, capacity: 25 });
    expect(plans.enterprise?.urls.rate).toBe(3000);
  });
});

describe("the edge's cache on disk", () => {
  it("makes the key as nginx.conf does", () => {
    expect(keyOf({ url: "http://Site.localhost:18000/a?b=1#c" })).toBe("http://site.localhost/a?b=1");
    expect(keyOf({ url: "http://site.localhost/a", headers: { ORIGIN: "http://x" } })).toBe(
      "http://site.localhost/a origin=http://x",
    );
  });

  it("knows prefixes and tags", () => {
    expect(underPrefix(new URL("http://a.b/fr/x?y"), "a.b/fr")).toBe(true);
    expect(underPrefix(new URL("http://a.b/french"), "a.b/fr")).toBe(false);
    expect(underPrefix(new URL("http://a.b/fr"), "a.b/fr/")).toBe(true);
    expect(tagsOf("HTTP/1.1 200 OK\r\nCache-Tag: A, b\r\ncache-tag: c\r\nX-Cache-Tag: d")).toEqual([
      "a",
      "b",
      "c",
    ]);
  });

  it("reads, purges and ignores what is not an entry", () => {
    const store = new CacheStore(folder);
    const key = "http://site.localhost/a";
    const path = store.pathOf(key);
    mkdirSync(join(path, ".."), { recursive: true });
    // A long header block must not hide the tag behind the first read.
    const long = `X-Long: ${"y".repeat(20_000)}\r\nCache-Tag: late`;
    writeFileSync(
      path,
      Buffer.concat([
        Buffer.alloc(300),
        Buffer.from(`\nKEY: ${key}\nHTTP/1.1 200 OK\r\n${long}\r\n\r\nbody`),
      ]),
    );
    writeFileSync(join(path, "../not-an-entry"), "x");
    writeFileSync(join(path, `../${"f".repeat(32)}`), "broken");
    expect(store.entries().map((entry) => [entry.key, entry.tags])).toEqual([[key, ["late"]]]);
    expect(store.purgeWhere((entry) => entry.tags.includes("late"), false)).toBe(1);
    expect(store.purgeUrls([{ url: key }], false)).toBe(0);
    expect(store.entries()).toEqual([]);
  });
});

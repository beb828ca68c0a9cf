// Addresses: every spelling of a page becomes the cache's own, and what is none is refused with its reason.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError } from "@/lib/errors/app-error";
import { keyOf, readAddress, readAddresses } from "./address";
import { testConfig } from "./test-config";

const { sites } = testConfig();
const stripping = testConfig({ strip_query: ["utm_[a-z0-9_]+", "gclid"], sort_query: true }).sites;
const read = (text: string, of = sites) => {
  const { host, key } = readAddress(text, of);
  return `${host}${key}`;
};
const problem = (text: string): string | undefined => {
  try {
    readAddress(text, sites, 4);
  } catch (error) {
    if (error instanceof AppError) {
      expect(error.code).toBe("INVALID_INPUT");
      expect(error.detail.field).toBe("urls.4");
      return error.detail.problem;
    }
    throw error;
  }
  return undefined;
};

describe("the cache's key of an address", () => {
  test.each([
    ["https://example.org/fr/x", "example.org/fr/x"],
    ["example.org/fr/x", "example.org/fr/x"],
    ["//example.org/fr/x", "example.org/fr/x"],
    ["  https://example.org/fr/x \r", "example.org/fr/x"],
    ["HTTPS://EXAMPLE.ORG/Fr/X", "example.org/Fr/X"],
    ["https://example.org", "example.org/"],
    ["https://example.org:443/a", "example.org/a"],
    ["http://example.org:80/a", "example.org/a"],
    ["https://www.example.org:8443/a", "www.example.org/a"],
    ["www.example.org:8443/a", "www.example.org/a"],
    ["https://example.org./a", "example.org/a"],
    ["https://ex%61mple.org/a", "example.org/a"],
    ["https://bücher.example/ä", "xn--bcher-kva.example/%C3%A4"],
    ["https://xn--bcher-kva.example/%c3%a4", "xn--bcher-kva.example/%c3%a4"],
    ["https://example.org/a#top", "example.org/a"],
    ["https://example.org/a/../b", "example.org/b"],
    ["https://example.org/a/%2e%2E/b", "example.org/b"],
    ["https://example.org/../../b", "example.org/b"],
    ["https://example.org/a//b/", "example.org/a//b/"],
    ["https://example.org/a?b=2&a=1&utm_source=x", "example.org/a?b=2&a=1&utm_source=x"],
    ['https://example.org/a b"c', "example.org/a%20b%22c"],
  ])("%j is %s", (text, key) => {
    expect(read(text)).toBe(key);
  });

  test("strips and sorts parameters as the site says, and keeps what was typed for the edge", () => {
    const address = readAddress("https://example.org/a?utm_source=x&b=2&a=1&gclid=7", stripping);
    expect(address).toMatchObject({ key: "/a?a=1&b=2", typed: "/a?utm_source=x&b=2&a=1&gclid=7" });
    expect(readAddress("https://example.org/a?gclid=7", stripping).key).toBe("/a");
  });

  test.each([
    ["ftp://example.org/a", "url.scheme"],
    ["javascript:alert(1)", "url.scheme"],
    ["file:///etc/passwd", "url.scheme"],
    ["mailto:a@example.org", "url.scheme"],
    ["https://user:pw@example.org/", "url.credentials"],
    ["https://@example.org/", "url.credentials"],
    ["https://example.org@evil.example/", "url.credentials"],
    ["https://example.org:8080/", "url.port"],
    ["https://example.org:99999/", "url.malformed"],
    ["https://example.org\\@evil.example/", "url.backslash"],
    ["https://example.org/a\r\nHost: evil", "url.control"],
    ["https://example.org/a\u0000b", "url.control"],
    ["https://example.org/a\tb", "url.control"],
    ["https://evil.example/a", "url.foreignHost"],
    ["https://[::1]/a", "url.foreignHost"],
    ["http:///a", "url.malformed"],
    ["http:example.org/a", "url.malformed"],
    ["https://exa mple.org/", "url.malformed"],
    ["/fr/x", "url.noHost"],
    [`https://example.org/${"a".repeat(8200)}`, "url.tooLong"],
  ])("%j is refused as %s", (text, expected) => {
    expect(problem(text)).toBe(expected);
  });

  test("an unknown host is told with the hosts of this actor only", () => {
    const [own] = sites;
    try {
      readAddress("https://shop.example.org/", own ? [own] : []);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        detail: {
          problem: "url.foreignHost",
          params: { known: "example.org, www.example.org, xn--bcher-kva.example" },
        },
      });
    }
  });
});

describe("a paste", () => {
  test("skips empty lines, keeps line numbers, and takes the same address once", () => {
    const lines = ["", "example.org/a", "   ", "https://EXAMPLE.org/a#x", "shop.example.org/b"];
    expect(readAddresses(lines, sites).map(({ host, key, line }) => [host, key, line])).toEqual([
      ["example.org", "/a", 1],
      ["shop.example.org", "/b", 4],
    ]);
  });

  test("tells every bad line, the first 20 with their problems", () => {
    const lines = ["example.org/a", "ftp://x/", ...Array.from({ length: 30 }, () => "evil.example")];
    try {
      readAddresses(lines, sites);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: "INVALID_INPUT",
        detail: { problem: "urls.bad", params: { count: 31 }, field: "urls.1" },
      });
      const problems = error instanceof AppError ? (error.detail.problems ?? []) : [];
      expect(problems).toHaveLength(20);
      expect(problems[0]).toMatchObject({ field: "urls.1", problem: "url.scheme" });
    }
  });

  test("of nothing is refused", () => {
    expect(() => readAddresses(["", " "], sites)).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
  });
});

describe("properties", () => {
  const path = fc
    .string({ unit: "binary", maxLength: 60 })
    .filter((text) => !/[\p{Cc}\p{Cs}\\\u2028\u2029]/u.test(text));

  test("a key read again is itself, holds nothing that could end a header or a word, and is what a browser asks for", () => {
    fc.assert(
      fc.property(path, (text) => {
        const url = `https://example.org/${text}`;
        const { host, key } = readAddress(url, sites);
        expect(key).toMatch(/^\/[\x21\x23-\x7e]*$/);
        expect(readAddress(`https://${host}${key}`, sites).key).toBe(key);
        const browser = new URL(url);
        expect(key).toBe(browser.pathname + browser.search);
      }),
      { numRuns: 500 },
    );
  });

  test("stripping and sorting are idempotent", () => {
    const [site] = stripping;
    if (!site) throw new Error("no site");
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.constantFrom("a", "b", "utm_x", "gclid", "c"), fc.stringMatching(/^[a-z0-9]{0,4}$/)),
          { maxLength: 8 },
        ),
        (pairs) => {
          const once = keyOf(site, `/p?${pairs.map(([name, value]) => `${name}=${value}`).join("&")}`);
          expect(keyOf(site, once)).toBe(once);
          expect(once).not.toMatch(/utm_|gclid/);
        },
      ),
    );
  });

  test("whatever is thrown at it, it answers or refuses with INVALID_INPUT", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        try {
          readAddress(text, sites);
        } catch (error) {
          expect(error).toMatchObject({ code: "INVALID_INPUT" });
        }
      }),
      { numRuns: 500 },
    );
  });
});

// From a page to its objects, and from objects to each layer's words.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAddress } from "@/lib/sites/address";
import { testConfig } from "@/lib/sites/test-config";
import {
  distinct,
  expandPage,
  fillTemplate,
  MAX_OWN_TAGS,
  MAX_SIBLINGS,
  siblingsIn,
  slashForm,
} from "./expand";
import { locations } from "./find";
import { cloudflareTargets, type Item, prefixRegexes, redisKeys, varnishOrders } from "./operations";

const { sites } = testConfig();
const [site] = sites;
if (!site) throw new Error("no site");
const page = (path: string) => readAddress(`https://example.org${path}`, sites);
const item = (type: Item["type"], value: string, soft = false): Item => ({
  type,
  host: "example.org",
  value,
  site: "main",
  soft,
});

describe("a page's objects", () => {
  test("are the page, its slash form and its data by the rules", () => {
    expect(expandPage(page("/fr/été")).map(({ label, value }) => [label, value])).toEqual([
      ["page", "/fr/%C3%A9t%C3%A9"],
      ["slash", "/fr/%C3%A9t%C3%A9/"],
      ["data", "/api/web_response_by_path?path=%2Ffr%2F%C3%A9t%C3%A9"],
      ["data", "/api/web_response_by_path?path=/fr/%C3%A9t%C3%A9"],
      ["list", "/api/common_content?_locale=fr"],
    ]);
  });

  test("leave out rules that are not for the page, and rules with a locale where it has none", () => {
    expect(expandPage(page("/en/x")).some(({ label }) => label === "list")).toBe(false);
    expect(fillTemplate("/a?l={locale}", "/about")).toBeNull();
  });

  test("hold siblings with their data, and tags, each once and bounded", () => {
    const siblings = Array.from({ length: 100 }, (_, index) => ({
      host: "example.org",
      key: `/en/x${index % 50}`,
    }));
    const tags = Array.from({ length: 200 }, (_, index) => `t${index}`);
    const objects = expandPage(page("/fr/x"), { siblings, tags });
    expect(objects.filter(({ label }) => label === "sibling")).toHaveLength(MAX_SIBLINGS);
    expect(objects.filter(({ type }) => type === "tag")).toHaveLength(MAX_OWN_TAGS);
    expect(distinct(objects)).toEqual(objects);
  });

  test.each([
    ["/fr/x", "/fr/x/"],
    ["/fr/x/", "/fr/x"],
    ["/fr/x?page=2", "/fr/x/?page=2"],
    ["/", null],
    ["/a.pdf", null],
    ["//", null],
  ])("slash form of %s is %s", (given, other) => {
    expect(slashForm(given)).toBe(other);
  });

  test("its slash form's slash form is itself", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^(\/[a-z0-9]{1,5}){1,4}$/), (path) => {
        expect(slashForm(slashForm(path) ?? "")).toBe(path);
      }),
    );
  });
});

describe("siblings", () => {
  test("come from the Link header and from <link>, of the same site only, and not the page itself", () => {
    const link =
      '</en/x>; rel="alternate"; hreflang="en", <https://evil.example/de>; rel=alternate; hreflang=de, </fr/x>; rel="alternate"; hreflang="fr", </style.css>; rel=preload';
    const html =
      '<link hreflang="it" href="https://www.example.org:8443/it/x?a=1&amp;b=2" rel="alternate"><link rel="alternate" type="application/rss+xml" href="/feed">';
    expect(siblingsIn(page("/fr/x"), link, html)).toEqual([
      { host: "example.org", key: "/en/x" },
      { host: "www.example.org", key: "/it/x?a=1&b=2" },
    ]);
  });

  test("never throw, whatever the answer holds", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (link, html) => {
        expect(
          siblingsIn(
            page("/fr/x"),
            `<${link}>; rel=alternate; hreflang=x`,
            `<link rel=alternate hreflang=x href="${html}">`,
          ).length,
        ).toBeLessThanOrEqual(2);
      }),
    );
  });
});

test("a sitemap's locations, with entities and CDATA, and nothing of another sort", () => {
  const xml =
    '<?xml version="1.0"?><urlset><url><loc> https://a.example/x?a=1&amp;b=2 </loc><image:loc>no</image:loc></url><url><loc><![CDATA[https://a.example/y]]></loc></url></urlset>';
  expect(locations(xml)).toEqual({
    index: false,
    urls: ["https://a.example/x?a=1&b=2", "https://a.example/y"],
  });
  expect(
    locations("<sitemapindex><sitemap><loc>https://a.example/s.xml</loc></sitemap></sitemapindex>").index,
  ).toBe(true);
});

describe("each layer's words", () => {
  test("a prefix is whole segments, with the data of the pages under it", () => {
    const [own, encoded, plain] = prefixRegexes(site, "/fr/a.b/").map((pattern) => new RegExp(pattern));
    expect(["/fr/a.b", "/fr/a.b/c", "/fr/a.b?x=1"].every((path) => own?.test(path))).toBe(true);
    expect(["/fr/a.bc", "/fr/aXb", "/x/fr/a.b"].some((path) => own?.test(path))).toBe(false);
    expect(encoded?.test("/api/web_response_by_path?path=%2Ffr%2Fa.b%2Fc")).toBe(true);
    expect(encoded?.test("/api/web_response_by_path?path=%2Ffr%2Fa.bc")).toBe(false);
    expect(plain?.test("/api/web_response_by_path?path=/fr/a.b/c")).toBe(true);
  });

  test("Varnish gets each order once, tags in groups", () => {
    const tags = Array.from({ length: 250 }, (_, index) => item("tag", `t${index}`));
    const orders = varnishOrders(site, [item("url", "/a"), item("url", "/a"), item("host", ""), ...tags]);
    expect(orders.map((order) => order.do)).toEqual(["url", "ban", "tags", "tags"]);
  });

  test("Cloudflare gets the widest that covers", () => {
    expect(cloudflareTargets(site, [item("url", "/a"), item("host", ""), item("tag", "t")])).toEqual([
      { soft: false, target: { hosts: ["example.org"] } },
      { soft: false, target: { tags: ["t"] } },
    ]);
    expect(cloudflareTargets(site, [item("all", ""), item("url", "/a")])).toEqual([
      { soft: false, target: { everything: true } },
    ]);
    expect(cloudflareTargets(site, [item("url", "/a"), item("url", "/b", true)])).toEqual([
      { soft: false, target: { files: ["https://example.org/a"] } },
      { soft: true, target: { files: ["https://example.org/b"] } },
    ]);
    expect(cloudflareTargets(site, [item("prefix", "/fr/blog/")])).toEqual([
      { soft: false, target: { prefixes: ["example.org/fr/blog", "example.org/api/web_response_by_path"] } },
    ]);
  });

  test("Redis keys are literal for a page, and patterns that an address cannot widen for an area", () => {
    const templates = ["fragment:{host}:{locale}:{path}"];
    expect(redisKeys(site, templates, [item("url", "/fr/a*b?x=1"), item("url", "/about")])).toEqual({
      keys: ["fragment:example.org:fr:/fr/a*b"],
      patterns: [],
    });
    expect(redisKeys(site, templates, [item("prefix", "/fr/a*")]).patterns).toEqual([
      "fragment:example.org:*:/fr/a\\*",
      "fragment:example.org:*:/fr/a\\*/*",
    ]);
    expect(redisKeys(site, templates, [item("host", "")]).patterns).toEqual(["fragment:example.org:*:*"]);
    expect(redisKeys(site, ["f:*:{path}"], [item("url", "/fr/[x]")]).patterns).toEqual(["f:*:/fr/\\[x\\]"]);
  });
});

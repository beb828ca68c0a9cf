// Where a place in a YAML text is, while its line is being written.
import { expect, test } from "vitest";
import { namesIn, placeAt } from "./yaml-place";

/** The text with "|" where the cursor is. */
function at(marked: string) {
  const pos = marked.indexOf("|");
  const place = placeAt(marked.replace("|", ""), pos);
  return place && `${place.kind} ${place.path.join(".")} «${place.typed}»`;
}

test.each([
  ["ht|", "key  «ht»"],
  ["http:\n  rou|", "key http «rou»"],
  ["http:\n  routers:\n    site:\n      rule: x\n      ser|", "key http.routers.site «ser»"],
  ["http:\n  routers:\n    site:\n      service: var|", "value http.routers.site.service «var»"],
  ["http:\n  routers:\n    site:\n      service: |", "value http.routers.site.service «»"],
  ['http:\n  routers:\n    "a b":\n      service: "v|', "value http.routers.a b.service «v»"],
  [
    "http:\n  routers:\n    site:\n      middlewares: [again, au|",
    "value http.routers.site.middlewares.[] «au»",
  ],
  [
    "http:\n  routers:\n    site:\n      middlewares:\n        - au|",
    "key http.routers.site.middlewares.[] «au»",
  ],
  // A list as far left as its key, and the key after it.
  [
    "http:\n  routers:\n    site:\n      middlewares:\n      - a\n      - b|",
    "key http.routers.site.middlewares.[] «b»",
  ],
  ["http:\n  routers:\n    site:\n      middlewares:\n      - a\n      ru|", "key http.routers.site «ru»"],
  [
    "http:\n  services:\n    a:\n      loadBalancer:\n        servers:\n          - url: x\n            we|",
    "key http.services.a.loadBalancer.servers.[] «we»",
  ],
  [
    "http:\n  services:\n    a:\n      weighted:\n        services:\n          - na|",
    "key http.services.a.weighted.services.[] «na»",
  ],
  // Comments and empty lines are nothing; less indentation leaves.
  ["http:\n  routers:\n# no: 1\n\n    a:\n      rule: x\ntc|", "key  «tc»"],
  ["http:\n  routers:\n    a:\n      rule: x\n    |", "key http.routers «»"],
] as const)("%j", (marked, expected) => {
  expect(at(marked)).toBe(expected);
});

test("a comment is nowhere", () => {
  expect(at("http:\n  # rou|")).toBeNull();
  expect(at("http: # rou|")).toBeNull();
});

test("names of a text", () => {
  expect(
    namesIn(
      "http:\n  routers:\n    one: {rule: x}\n    two:\n      service: s\n  services:\n    s:\n      loadBalancer:\n        servers:\n        - url: http://a\ntcp:\n  services:\n    t:\n      loadBalancer: {}\nother:\n  routers:\n    no: {}\n",
    ),
  ).toEqual({ routers: ["one", "two"], services: ["s", "t"], middlewares: [] });
});

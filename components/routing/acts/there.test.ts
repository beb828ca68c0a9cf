// A form for a name that is there shows what it has, and to save it as it is loses nothing.
import { expect, test } from "vitest";
import { act } from "@/lib/routing/edit/contract";
import { type ActName, forms, readerOf } from "./forms";
import { elementsOf, namesOf, plainRuleOf, secondsOf, thereOf } from "./there";

const files = [
  {
    name: "site.yml",
    text: `http:
  routers:
    shop:
      rule: (Host(\`shop.example.org\`) || Host(\`www.shop.example.org\`)) && PathPrefix(\`/en\`)
      entryPoints: [web, websecure]
      middlewares: [door, slow@docker]
      service: shop
      priority: 12
      tls:
        certResolver: le
        options: modern
    odd:
      rule: HostRegexp(\`.*\`) && Method(\`GET\`)
      middlewares: [door]
      service: shop
  services:
    shop:
      loadBalancer:
        servers:
          - url: http://10.0.0.7:8080
    both:
      weighted:
        services:
          - name: shop
            weight: 90
          - name: new@docker
            weight: 10
        sticky:
          cookie:
            name: which
            secure: true
  middlewares:
    door:
      basicAuth:
        realm: Staff
        users:
          - ada:$2y$10$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
          - omar:$2y$10$bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    frames:
      headers:
        frameDeny: true
        customRequestHeaders:
          X-Forwarded-Prefix: /shop
        customResponseHeaders:
          Server: ""
          X-A: "b: c"
    office:
      ipAllowList:
        sourceRange: [203.0.113.0/24, "2001:db8::/32"]
        ipStrategy:
          depth: 2
    slow:
      rateLimit:
        average: 50
        period: 1m30s
        burst: 7
        sourceCriterion:
          requestHost: true
tls:
  options:
    modern:
      minVersion: VersionTLS13
      sniStrict: true
      clientAuth:
        clientAuthType: RequireAndVerifyClientCert
`,
  },
];
const elements = elementsOf(files);

test.each([
  [
    "route",
    "shop",
    {
      hosts: ["shop.example.org", "www.shop.example.org"],
      path: "/en",
      to: { service: "shop" },
      entryPoints: ["web", "websecure"],
      certResolver: "le",
      middlewares: ["door", "slow@docker"],
    },
  ],
  [
    "headers",
    "frames",
    {
      request: [{ name: "X-Forwarded-Prefix", value: "/shop" }],
      response: [
        { name: "Server", value: "" },
        { name: "X-A", value: "b: c" },
      ],
      routers: [],
    },
  ],
  ["basicAuth", "door", { realm: "Staff", users: [{ name: "ada" }, { name: "omar" }], routers: [] }],
  ["ipAllowList", "office", { ranges: ["203.0.113.0/24", "2001:db8::/32"], depth: 2, routers: [] }],
  ["rateLimit", "slow", { average: 50, periodS: 90, burst: 7, depth: 0, routers: [] }],
  [
    "canary",
    "both",
    {
      parts: [
        { service: "shop", weight: 90 },
        { service: "new@docker", weight: 10 },
      ],
      cookie: "which",
      routers: [],
    },
  ],
  ["tlsOptions", "modern", { minVersion: "VersionTLS13", cipherSuites: [], sniStrict: true, routers: [] }],
] as const)("%s: saved as it is shown of %s, it asks for what is there", (of, name, asked) => {
  const there = thereOf(of, elements, name);
  expect(there).toMatchObject({ file: "site.yml", replaced: [] });
  const made = act.parse({ act: of, ...Object(forms[of].make(readerOf(there?.values ?? {}))) });
  expect(made).toEqual({ act: of, name, ...asked });
});

test("the form's fields have what is there, and no hash", () => {
  expect(thereOf("route", elements, "shop")?.values).toMatchObject({
    certResolver: "=le",
    // Shown once a new service is asked for.
    servers: "http://10.0.0.7:8080",
  });
  expect(thereOf("basicAuth", elements, "door")?.values).toMatchObject({
    users: [
      { first: "ada", second: "" },
      { first: "omar", second: "" },
    ],
  });
  expect(JSON.stringify(thereOf("basicAuth", elements, "door"))).not.toContain("$2y$");
});

test("what a form cannot show is told, and what is none of its own is nothing to it", () => {
  expect(thereOf("route", elements, "odd")).toMatchObject({
    values: { hosts: "", middlewares: ["door"] },
    replaced: ["HostRegexp(`.*`) && Method(`GET`)"],
  });
  expect(thereOf("headers", elements, "door")).toBeNull();
  expect(thereOf("route", elements, "new")).toBeNull();
  expect(thereOf("maintenance", elements, "shop")).toMatchObject({ values: null });
  expect(namesOf("canary", elements)).toEqual(["both"]);
});

test.each<[string, ReturnType<typeof plainRuleOf>]>([
  ["Host(`a.example`)", { hosts: ["a.example"], path: "" }],
  ['Host("a.example") || Host(`b.example`)', { hosts: ["a.example", "b.example"], path: "" }],
  ["Host(`a.example`) && PathPrefix(`/x`)", { hosts: ["a.example"], path: "/x" }],
  // The path binds to the second host only.
  ["Host(`a.example`) || Host(`b.example`) && PathPrefix(`/x`)", null],
  ["!Host(`a.example`)", null],
  ["Host(`a.example`) && PathPrefix(`/x`) && Method(`GET`)", null],
  ["PathPrefix(`/`)", null],
])("%s", (rule, expected) => expect(plainRuleOf(rule)).toEqual(expected));

test.each<[string, number | null]>([
  ["1s", 1],
  ["10", 10],
  ["1m30s", 90],
  ["1h", 3600],
  ["2000ms", 2],
  ["500ms", null],
  ["soon", null],
])("%s is %s s", (period, expected) => expect(secondsOf(period)).toBe(expected));

test("every form is known", () => {
  for (const of of Object.keys(forms) as ActName[]) expect(thereOf(of, elements, "nothing")).toBeNull();
});

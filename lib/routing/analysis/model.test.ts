// What is read of Traefik's files, and what of it is another in a draft.
import { expect, test } from "vitest";
import { differencesOf } from "./differences";
import { modelOf } from "./model";

const file = (text: string, name = "a.yml") => ({ name, text });
const plain = (_: string, value: string) => value;
const between = (before: string, after: string) =>
  differencesOf(modelOf([file(before)]), modelOf([file(after)]), plain);

const shop = `
http:
  routers:
    shop: { rule: "Host(\`shop.example\`)", service: shop, entryPoints: [web], middlewares: [a, b] }
  services:
    shop:
      loadBalancer:
        servers: [{ url: "http://10.0.0.1" }, { url: "http://10.0.0.2" }]
`;

test("each element has its fields as Traefik reads them", () => {
  const { elements, hidden } = modelOf([
    file(`
HTTP:
  routers:
    r: { RULE: Host(\`a\`), priority: 0x10, tls: true, service: s, middlewares: "a, b" }
  middlewares:
    m: { plugin: { mine: { list: [1, 2], deep: { key: yes }, rows: [{ name: x }] } } }
    c: { compress: {} }
tls:
  certificates: [{ certFile: /a.pem, keyFile: /a.key }]
  options: { strict: { minVersion: VersionTLS13 } }
`),
  ]);
  expect(hidden).toBe(false);
  expect(elements.get("http.routers.r")?.fields).toEqual({
    ...{ rule: "Host(`a`)", priority: "16", tls: {}, service: "s" },
    middlewares: ["a", "b"],
  });
  expect(elements.get("http.middlewares.m")?.fields).toEqual({
    plugin: { mine: { list: ["1", "2"], deep: { key: "yes" }, rows: [{ name: "x" }] } },
  });
  expect(elements.get("http.middlewares.c")?.fields).toEqual({ compress: {} });
  expect(elements.get("tls.certificates./a.pem")?.fields.keyFile).toBe("/a.key");
  expect(elements.get("tls.options.strict")?.section).toBe("options");
});

test("of one name the first file's, by the bytes of the names; templates are rendered; TOML stays hidden", () => {
  const router = (service: string) => `http: { routers: { r: { rule: Path(\`/\`), service: ${service} } } }`;
  const first = modelOf([file(router("late"), "b.yml"), file(router("early"), "B.yml")]);
  expect(first.elements.get("http.routers.r")?.fields.service).toBe("early");
  const template = 'http: { routers: { {{ "made" }}: { service: s } } }';
  expect([...modelOf([file(template)]).elements.keys()]).toEqual(["http.routers.made"]);
  expect(modelOf([file("[http]", "a.toml")]).hidden).toBe(true);
});

test("the order of names is no difference, the order of a list is one", () => {
  const turned = `
http:
  services:
    shop: { loadBalancer: { servers: [{ url: "http://10.0.0.1" }, { url: "http://10.0.0.2" }] } }
  routers:
    shop: { middlewares: [a, b], entryPoints: [web], service: shop, rule: "Host(\`shop.example\`)" }
`;
  expect(between(shop, turned)).toEqual([]);
  expect(between(shop, shop.replace("[a, b]", "[b, a]"))).toEqual([
    {
      ...{ kind: "changed", protocol: "http", section: "routers", name: "shop" },
      fields: [
        { path: "middlewares[0]", before: "a", after: "b" },
        { path: "middlewares[1]", before: "b", after: "a" },
      ],
    },
  ]);
});

test("what is new, what is gone, and each changed field by its path", () => {
  const changed = `${shop.replace("shop: { rule", "other: { rule").replace("http://10.0.0.2", "http://10.0.0.3")}`;
  const fields = [
    { path: "entryPoints[0]", before: "web" },
    { path: "middlewares[0]", before: "a" },
    { path: "middlewares[1]", before: "b" },
    { path: "rule", before: "Host(`shop.example`)" },
    { path: "service", before: "shop" },
  ];
  expect(between(shop, changed)).toEqual([
    {
      ...{ kind: "removed", protocol: "http", section: "routers", name: "shop" },
      fields: fields.map((field) => ({ ...field, after: null })),
    },
    {
      ...{ kind: "changed", protocol: "http", section: "services", name: "shop" },
      fields: [
        {
          path: "loadBalancer.servers[1].url",
          before: "http://10.0.0.2",
          after: "http://10.0.0.3",
        },
      ],
    },
    {
      ...{ kind: "added", protocol: "http", section: "routers", name: "other" },
      fields: fields.map(({ path, before }) => ({ path, before: null, after: before })),
    },
  ]);
  const withTls = shop.replace("middlewares: [a, b]", "middlewares: [a, b], tls: {}");
  expect(between(shop, withTls)[0]?.fields).toEqual([{ path: "tls", before: null, after: "{}" }]);
});

test("a value is shown as the mask says, which is told its whole path", () => {
  const auth = (hash: string) => `http: { middlewares: { m: { basicAuth: { users: ["a:${hash}"] } } } }`;
  const paths: string[] = [];
  const found = differencesOf(modelOf([file(auth("x"))]), modelOf([file(auth("y"))]), (path) => {
    paths.push(path);
    return "hidden";
  });
  expect(found[0]?.fields).toEqual([{ path: "basicAuth.users[0]", before: "hidden", after: "hidden" }]);
  const added = differencesOf(modelOf([]), modelOf([file(auth("x"))]), () => "hidden");
  expect(added[0]?.fields).toEqual([{ path: "basicAuth.users[0]", before: null, after: "hidden" }]);
  expect(new Set(paths)).toEqual(new Set(["http.middlewares.m.basicAuth.users[0]"]));
});

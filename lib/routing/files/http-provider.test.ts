// One document of many files: what Traefik would read of the directory, word by word, and never nothing.

import { expect, test } from "vitest";
import { parse } from "yaml";
import { validateDirectory } from "../validate/validate";
import { bodyOf, checkServable } from "./http-provider";

const mark = "sluice-1-0123456789ab";
const file = (name: string, text: string) => ({ name, text });
const body = (...files: { name: string; text: string }[]) => parse(bodyOf(files, mark));
const marked = { middlewares: { [mark]: { addPrefix: { prefix: "/sluice" } } } };

test("nothing is still the mark", () => {
  expect(body()).toEqual({ http: marked });
  expect(body(file("a.yml", "# nothing\n"), file("b.yml", "x-common: 1\n"))).toEqual({ http: marked });
});

test("all files, the first of a name first, in the order in which Traefik reads them", () => {
  const made = body(
    file(
      "b.yml",
      "http:\n  routers:\n    shop: { rule: Host(`b`), service: b }\n    only: { rule: Path(`/x`), service: b }\n",
    ),
    file("a/z.yml", "HTTP:\n  Routers:\n    shop: { rule: Host(`a`), service: a }\n"),
    file(
      "c.yml",
      "tls:\n  certificates:\n    - { certFile: /a.pem, keyFile: /a.key }\n  options: { default: { minVersion: VersionTLS12 } }\n",
    ),
    file(
      "d.yml",
      "tls:\n  certificates:\n    - { certFile: /b.pem, keyFile: /b.key }\nudp:\n  services:\n    dns: { loadBalancer: { servers: [{ address: 'a:53' }] } }\n",
    ),
  );
  expect(made.http.Routers.shop).toEqual({ rule: "Host(`a`)", service: "a" });
  expect(made.http.Routers.only).toEqual({ rule: "Path(`/x`)", service: "b" });
  expect(made.http.middlewares).toEqual(marked.middlewares);
  expect(made.tls.certificates).toEqual([
    { certFile: "/a.pem", keyFile: "/a.key" },
    { certFile: "/b.pem", keyFile: "/b.key" },
  ]);
  expect(made.tls.options.default).toEqual({ minVersion: "VersionTLS12" });
  expect(made.udp.services.dns.loadBalancer.servers).toEqual([{ address: "a:53" }]);
});

test("anchors, merges and quoting mean what they mean in the file; numbers stay as they are written", () => {
  const text = `
x-base: &base
  rule: "Host(\`x\`)"
  priority: 1
http:
  routers:
    one: { <<: *base, priority: 9007199254740993, service: s }
    two:
      <<: [*base, { service: other }]
      entryPoints: &points [web, "007"]
    three:
      rule: >-
        Host(\`a\`) &&
        PathPrefix(\`/b\`)
      service: 'it''s'
      entryPoints: *points
  services:
    s: { loadBalancer: { passHostHeader: false, sticky: { cookie: { name: off } }, responseForwarding: { flushInterval: 0x10 }, servers: [{ url: http://a:80, weight: 010 }] } }
`;
  const made = bodyOf([file("a.yml", text)], mark);
  expect(made).toContain('"priority": 9007199254740993');
  expect(made).toContain('"weight": 010');
  expect(made).toContain('"flushInterval": 0x10');
  expect(made).toContain('"name": "off"');
  const { http } = parse(made);
  expect(http.routers.one.rule).toBe("Host(`x`)");
  expect(http.routers.two).toEqual({
    rule: "Host(`x`)",
    priority: 1,
    service: "other",
    entryPoints: ["web", "007"],
  });
  expect(http.routers.three).toEqual({
    rule: "Host(`a`) && PathPrefix(`/b`)",
    service: "it's",
    entryPoints: ["web", "007"],
  });
  expect(
    validateDirectory([file("body.yml", made)], {}).filter(({ effect }) => effect === "rejected"),
  ).toEqual([]);
});

test("templates, TOML and what is no YAML are refused beforehand", () => {
  const problem = (one: { name: string; text: string }) => {
    try {
      checkServable([one]);
      return null;
    } catch (error) {
      return (error as { detail: { problem: string } }).detail.problem;
    }
  };
  expect(problem(file("a.yml", "http:\n  routers:\n    a: { rule: Host(`a`), service: s }\n"))).toBeNull();
  expect(problem(file("a.toml", "[http]\n"))).toBe("routing.httpToml");
  expect(problem(file("a.yml", '# {{ env "HOME" }}\n'))).toBe("routing.httpTemplate");
  expect(problem(file("a.yml", "http: [\n"))).toBe("routing.httpYaml");
  expect(problem(file("a.yml", "- a\n"))).toBe("routing.httpYaml");
});

// What is offered at a place of Traefik's files.
import { expect, test } from "vitest";
import { yamlChoices, yamlMeaning } from "./yaml-complete";

const words = {
  fields: {
    "": [{ name: "http", takes: "map" }],
    "http.routers.*": [
      { name: "rule", takes: "text" },
      { name: "service", takes: "text" },
    ],
    "http.services.*.loadBalancer": [{ name: "passHostHeader", takes: "yes/no" }],
    "http.services.*.loadBalancer.servers[]": [{ name: "url", takes: "text" }],
  },
  entryPoints: ["web", "websecure"],
  certResolvers: ["le"],
  routers: [],
  services: ["varnish", "api@docker"],
  middlewares: ["again"],
};

function offered(marked: string): string[] | null {
  const pos = marked.indexOf("|");
  const text = marked.replace("|", "");
  const found = yamlChoices(text, pos, words, [{ name: "a.yml", text }]);
  return found?.choices.map(({ insert }) => insert) ?? null;
}

test("fields by their path, whatever the case", () => {
  expect(offered("h|")).toEqual(["http:"]);
  expect(offered("http:\n  Routers:\n    a:\n      |")).toEqual(["rule: ", "service: "]);
  expect(offered("http:\n  routers:\n    a:\n      |rule: x")).toEqual(["rule", "service"]);
  expect(offered("http:\n  services:\n    a:\n      loadBalancer:\n        servers:\n          - |")).toEqual(
    ["url: "],
  );
  expect(offered("http:\n  nowhere:\n    a|")).toBeNull();
});

test("names that exist, and those of the draft", () => {
  const services = "  services:\n    mine:\n      loadBalancer: {}\n";
  expect(offered(`http:\n${services}  routers:\n    a:\n      service: |`)).toEqual([
    "mine",
    "varnish",
    "api@docker",
  ]);
  expect(offered("http:\n  routers:\n    a:\n      middlewares: [|")).toEqual(["again"]);
  expect(offered("http:\n  routers:\n    a:\n      entryPoints:\n      - w|")).toEqual(["web", "websecure"]);
  expect(offered("http:\n  routers:\n    a:\n      tls:\n        certResolver: |")).toEqual(["le"]);
  expect(
    offered("http:\n  services:\n    a:\n      weighted:\n        services:\n        - name: v|"),
  ).toEqual(["a", "varnish", "api@docker"]);
  expect(offered("http:\n  services:\n    a:\n      loadBalancer:\n        passHostHeader: |")).toEqual([
    "true",
    "false",
  ]);
});

test("what a key takes", () => {
  const text = "http:\n  routers:\n    a:\n      rule: x\n";
  expect(yamlMeaning(text, text.indexOf("rule") + 2, words)).toEqual({
    from: text.indexOf("rule"),
    to: text.indexOf("rule") + 4,
    title: "http.routers.a.rule",
    takes: "text",
  });
  expect(yamlMeaning(text, text.indexOf("x"), words)).toBeNull();
});

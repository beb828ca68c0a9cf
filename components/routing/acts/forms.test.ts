// What is typed into a form becomes an act that the server takes, and a fault finds its field.
import { expect, test } from "vitest";
import { act } from "@/lib/routing/edit/contract";
import { type ActName, actNames, emptyValues, fieldAt, forms, readerOf, type Values } from "./forms";

const typed: Record<ActName, Values> = {
  route: {
    name: "shop",
    hosts: "shop.example.org\n\nwww.shop.example.org\n",
    servers: "http://10.0.0.7:8080",
  },
  redirects: { csv: "https://a.example.org/x,https://b.example.org/y" },
  headers: { name: "frames", response: "X-Frame-Options: DENY\nServer:", routers: ["site"] },
  basicAuth: { name: "door", users: [{ first: "ada", second: "a long one" }] },
  ipAllowList: { name: "office", ranges: "203.0.113.0/24" },
  rateLimit: { name: "slow" },
  canary: {
    name: "both",
    parts: [
      { first: "old", second: "90" },
      { first: "new@docker", second: "10" },
    ],
  },
  maintenance: {
    bypassHeader: "X-Preview: 1",
    bypassCookie: "preview=letmein-2026",
    until: "2026-12-24T18:00",
  },
  tlsOptions: { name: "modern" },
};

const made = (of: ActName, values: Values) => ({
  act: of,
  ...Object(forms[of].make(readerOf({ ...emptyValues(forms[of]), ...values }))),
});

test.each(actNames)("%s is taken", (of) => {
  expect(act.safeParse(made(of, typed[of])).error).toBeUndefined();
});

test("what was typed is what is asked", () => {
  expect(act.parse(made("route", typed.route))).toMatchObject({
    hosts: ["shop.example.org", "www.shop.example.org"],
    to: { servers: ["http://10.0.0.7:8080"] },
    certResolver: null,
  });
  expect(act.parse(made("route", { ...typed.route, service: "varnish", certResolver: "=" }))).toMatchObject({
    to: { service: "varnish" },
    certResolver: "",
  });
  expect(act.parse(made("headers", typed.headers))).toMatchObject({
    response: [
      { name: "X-Frame-Options", value: "DENY" },
      { name: "Server", value: "" },
    ],
  });
  expect(act.parse(made("maintenance", typed.maintenance))).toMatchObject({
    until: new Date("2026-12-24T18:00").toISOString(),
    bypass: { header: { name: "X-Preview", value: "1" }, cookie: { name: "preview", value: "letmein-2026" } },
  });
  expect(act.parse(made("maintenance", { ...typed.maintenance, on: false }))).toMatchObject({
    on: false,
    hosts: [],
  });
});

test.each([
  ["route", { ...typed.route, hosts: "a.example.org\nnot a host" }, "hosts", 2],
  ["route", { ...typed.route, servers: "nowhere" }, "servers", 1],
  ["basicAuth", { ...typed.basicAuth, users: [{ first: "a:b", second: "" }] }, "users", 1],
  ["rateLimit", { ...typed.rateLimit, burst: "0" }, "burst", null],
  ["maintenance", { ...typed.maintenance, bypassCookie: "preview=short" }, "bypassCookie", null],
  ["maintenance", { ...typed.maintenance, until: "tomorrow" }, "until", null],
] as const)("a fault of %s is at its field", (of, values, name, entry) => {
  const [issue] = act.safeParse(made(of, values)).error?.issues ?? [];
  const found = fieldAt(forms[of], (issue?.path ?? []).join("."));
  expect([found?.field.name, found?.entry]).toEqual([name, entry]);
});

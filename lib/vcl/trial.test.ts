// What the trial makes of a VCL, and what it does without a varnishd.
import { afterEach, expect, test } from "vitest";
import { onStub, runTrials } from "./trial";

const before = process.env.SLUICE_VARNISHD;
afterEach(() => {
  if (before === undefined) delete process.env.SLUICE_VARNISHD;
  else process.env.SLUICE_VARNISHD = before;
});

test("where there is no varnishd, nothing is run", async () => {
  process.env.SLUICE_VARNISHD = "/nowhere/varnishd";
  const { signal } = new AbortController();
  expect(await runTrials("vcl 4.1;", [], signal)).toEqual({ state: "absent" });
});

test("backends are led to the stub, probes go, lines keep their numbers", () => {
  const text = `vcl 4.1;
probe well { .url = "/health"; .interval = 2s; }
probe default {
    .request = "GET / HTTP/1.1" "Host: {x}";
}
# backend old { .host = "old.example"; }
backend shop {
    .host = "shop.example"; # "; .port = 1;
    .port = "8080";
    .connect_timeout = 2s;
    .probe = well;
    .max_connections = 50;
}
backend api { .path = "/run/api.sock"; .probe = { .url = "/"; .window = 8; } .first_byte_timeout = 5s; }
backend far { .host = "far.example"; .via = shop; .proxy_header = 2 }
backend nobody none;
sub vcl_recv { set req.backend_hint = shop; }
`;
  expect(onStub(text, 4711)).toBe(`vcl 4.1;




# backend old { .host = "old.example"; }
backend shop { .host = "127.0.0.1"; .port = "4711";
     # "; .port = 1;
    
    .connect_timeout = 2s;
    
    .max_connections = 50;
}
backend api { .host = "127.0.0.1"; .port = "4711";   .first_byte_timeout = 5s; }
backend far { .host = "127.0.0.1"; .port = "4711";    }
backend nobody none;
sub vcl_recv { set req.backend_hint = shop; }
`);
});

test.each([
  "backend a {",
  "backend a { .host",
  "backend a { .probe = {",
  "probe",
  "backend",
  "backend a { .x }",
])("%j, unfinished as it is, ends", (text) => {
  expect(onStub(text, 1)).toMatch(/^(backend|probe)/);
});

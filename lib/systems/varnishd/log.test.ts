// varnishlog's words, as 7.1 writes them.
import { expect, test } from "vitest";
import { readLog } from "./log";

test("each request is one line: its port, how it was answered, who was asked", () => {
  const text = `*   << Request  >> 2
-   Begin          req 1 rxreq
-   ReqStart       127.0.0.1 38538 a0
-   VCL_call       RECV
-   VCL_call       HASH
-   VCL_call       MISS
-   VCL_call       DELIVER
**  << BeReq    >> 3
--  Begin          bereq 2 fetch
--  VCL_call       BACKEND_FETCH
--  BackendOpen    22 trial.shop 127.0.0.1 9999 127.0.0.1 48612 connect

*   << Request  >> 32770
-   Begin          req 32769 rxreq
-   ReqStart       127.0.0.1 38544 a0
-   VCL_call       RECV
-   VCL_call       HIT
-   VCL_call       DELIVER

*   << Request  >> 4
-   Begin          req 3 rxreq
-   HttpGarbage    "x%0d%0a"
`;
  expect(readLog(text)).toEqual([
    { from: 38538, cache: "miss", backend: "shop" },
    { from: 38544, cache: "hit", backend: null },
  ]);
});

test("a restart is the same request; an ESI fragment is another's", () => {
  const text = `*   << Request  >> 7
-   Begin          req 6 rxreq
-   ReqStart       127.0.0.1 38568 a0
-   VCL_call       RECV
-   VCL_call       HIT
*   << Request  >> 8
-   Begin          req 7 restart
-   ReqStart       127.0.0.1 38568 a0
-   VCL_call       PASS
-   VCL_call       DELIVER
**  << BeReq    >> 9
--  Begin          bereq 8 pass
--  BackendOpen    22 page 127.0.0.1 9999 127.0.0.1 48612 connect
**  << Request  >> 10
--  Begin          req 8 esi 1
--  ReqStart       127.0.0.1 38568 a0
--  VCL_call       HIT
--  VCL_call       DELIVER
`;
  expect(readLog(text)).toEqual([{ from: 38568, cache: "pass", backend: "page" }]);
});

test("a hit that is answered by hand is no hit", () => {
  const calls = ["RECV", "HASH", "HIT", "SYNTH"].map((call) => `-   VCL_call       ${call}`);
  const text = ["-   Begin          req 1 rxreq", "-   ReqStart       127.0.0.1 5 a0", ...calls].join("\n");
  expect(readLog(text)).toEqual([{ from: 5, cache: "synth", backend: null }]);
});

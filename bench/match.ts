// Bench (h): which of 1,000 routers takes a request, rules x requests per second: the first request, the next ones, and rules alone.
// `npx tsx bench/match.ts [routers] [requests]`; no server is needed.
import { type HttpRequest, httpRule, seenOf } from "../lib/routing/match";
import { type Router, routerFor } from "../lib/routing/routers";

const count = Number(process.argv[2] ?? 1000);
const requests = Number(process.argv[3] ?? 2000);
const print = (text: string) => process.stdout.write(`${text}\n`);

/** As sites have them: a host each, some with a path, a method, a header, an address, an expression. */
function ruleOf(index: number): string {
  const host = `Host(\`site-${index}.example.org\`)`;
  const more = [
    "",
    ` && PathPrefix(\`/api/v${index % 9}\`)`,
    " && (Path(`/login`) || PathPrefix(`/admin`))",
    " && Method(`POST`)",
    " && !ClientIP(`10.0.0.0/8`)",
    " && Header(`X-Canary`, `yes`)",
    " && PathRegexp(`^/[a-z]{2}/articles/[0-9]+$`)",
    " && Query(`preview`, `1`)",
  ];
  return `${host}${more[index % more.length]}`;
}
const routers: Router[] = Array.from({ length: count }, (_, index) => ({
  name: `router-${index}@file`,
  rule: ruleOf(index),
  priority: 0n,
  provider: "file",
}));
const request = (index: number): HttpRequest => ({
  method: index % 3 === 0 ? "POST" : "GET",
  host: `site-${(index * 7919) % count}.example.org`,
  path: ["/", "/api/v1/articles", "/fr/articles/42", "/admin"][index % 4] ?? "/",
  query: index % 5 === 0 ? "preview=1" : "",
  headers: index % 2 === 0 ? { "X-Canary": ["yes"] } : {},
  remoteAddr: `${index % 2 === 0 ? "10.1.2.3" : "192.0.2.7"}:40000`,
});
const asked = Array.from({ length: requests }, (_, index) => request(index));

/** Seconds that `act` takes. */
function timed(act: () => void): number {
  const from = performance.now();
  act();
  return (performance.now() - from) / 1000;
}
const perSecond = (seconds: number, of: number) =>
  `${Math.round((count * of) / seconds).toLocaleString("en")} rules x requests/s`;

const rules = routers.map(({ rule }) => httpRule(rule));
let taken = 0;
const compiled = timed(() => {
  for (const one of asked) {
    const seen = seenOf(one);
    for (const rule of rules) if (rule(seen)) taken += 1;
  }
});
const few = asked.slice(0, Math.max(1, Math.floor(requests / 20)));
const first = timed(() => void routerFor(routers, asked[0] ?? request(0)));
const whole = timed(() => {
  for (const one of few) routerFor(routers, one);
});
print(`${count} routers, ${requests} requests, ${taken} matches`);
print(`rules alone (as impact asks them)        ${perSecond(compiled, asked.length)}`);
print(`with winner, losers and why              ${perSecond(whole, few.length)}`);
print(`the first request, rules not read yet    ${(first * 1000).toFixed(0)} ms`);
print(`one after it                             ${((whole / few.length) * 1000).toFixed(1)} ms`);
print(
  `why, beside the rules alone              ${(whole / few.length / (compiled / asked.length)).toFixed(1)} times`,
);

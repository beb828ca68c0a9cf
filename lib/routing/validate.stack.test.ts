// The same files through a real Traefik and through ours: what it rejects, what it puts out of service, and why.
import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { freePort, testStack, until } from "../systems/test-stack";
import { type Case, cases, drawn, known } from "./validate/cases.fixture";
import type { Problem } from "./validate/problem";
import { validateDirectory } from "./validate/validate";

const exec = promisify(execFile);
const stack = testStack();
const docker = (...args: string[]) => exec("docker", args, { timeout: 60_000 });

/** Traefik's words for ours: one of them must be there. */
const words: Readonly<Record<string, RegExp>> = {
  // Rejected.
  yamlSyntax: /yaml: |cannot decode/,
  duplicateKey: /already defined at line/,
  notAMap: /cannot unmarshal/,
  mergeNotMap: /map merge requires map/,
  unknownKey: /field not found, node: /,
  unknownKeyNear: /field not found, node: /,
  emptyElement: /cannot be a standalone element/,
  mapForValue: /invalid node /,
  notNumber: /strconv\.ParseInt/,
  notBoolean: /strconv\.ParseBool/,
  notDuration: /time: .*duration/,
  nothingInList: /unsupported simple value type: invalid/,
  listInList: /unsupported simple value type: slice/,
  dateUnquoted: /unsupported .*type: struct/,
  mixedList: /parse (int|float64)/,
  templateBroken: /template: /,
  templateFails: /can't evaluate field|executing/,
  // Disabled.
  unknownService: /service "[^"]+" does not exist|unknown internal service/,
  unknownMiddleware: /middleware "[^"]+" does not exist/,
  recursion: /recursion detected/,
  middlewareWithoutKind: /invalid middleware type or middleware does not exist/,
  middlewareWithTwoKinds: /multi-types middleware not supported/,
  serviceWithoutKind: /does not have any type defined/,
  serviceWithTwoKinds: /multi-types service not supported/,
  noServiceNamed: /service ".*" does not exist|service "@file"|service ""/,
  badPercent: /percent must be between/,
  badStatusRange: /strconv\.Atoi/,
  childWithoutHealthCheck: /not a healthcheck\.StatusUpdater|healthCheck not enabled/,
  badStrategy: /unsupported load-balancer strategy/,
  badUrl: /error parsing server URL/,
  unknownTransport: /servers transport not found|no transport configuration found/,
  badProxyProtocol: /unknown proxyProtocol version/,
  badCipherSuite: /invalid CipherSuite/,
  badCurve: /invalid CurveID/,
  badClientAuth: /unknown client auth type/,
  clientAuthWithoutCa: /CAFiles is required/,
  unknownTlsOptions: /unknown TLS options/,
  noEntryPoint: /no valid entryPoint/,
  priorityTooHigh: /exceeds the max user-defined priority|value out of range/,
  routerWithoutRule: /error while parsing rule|router has no rule|invalid rule/,
  routerWithoutService: /must have either a service|no service and no child|the service is missing/,
  badRule: /error while parsing rule|invalid rule/,
  hostWithoutTls: /has HostSNI matcher, but no TLS/,
  unknownParent: /parent router "[^"]+" does not exist/,
  routerNotReached: /router is not reachable/,
  childWithTls: /non-root router cannot have TLS/,
  childWithObservability: /non-root router cannot have Observability/,
  childWithEntryPoints: /non-root router cannot have Entrypoints/,
  noChildLeft: /no child routers could be added/,
  serviceAndChildren: /has both a service and is referenced as a parent/,
  noPrefix: /prefix cannot be empty/,
  noUsers: /no users found/,
  badUser: /error parsing (Basic|Digest)User/,
  badRegex: /error parsing regexp/,
  badAddress: /parsing CIDR|invalid CIDR/,
  noSourceRange: /sourceRange is empty/,
  badStatus: /invalid HTTP status code/,
  badSubnet: /invalid IPv6 subnet/,
  oneCriterion: /mutually exclusive/,
  noHeaders: /headers configuration not valid/,
  bothContentTypes: /mutually exclusive/,
  badContentType: /parsing (excluded|included) media type/,
  badEncoding: /unsupported (default )?encoding/,
  badExpression: /./,
  negativePeriod: /negative value not valid for period/,
  negativeSize: /bytes should be >= 0/,
  noScheme: /you must provide a target scheme/,
  noAttempts: /incorrect \(or empty\) value for attempt/,
  retryOfNothing: /requires at least HTTP status codes/,
  certWithoutKey: /both TLS cert and key must be defined/,
};

const listed = z.array(
  z.object({
    name: z.string(),
    status: z.string().default("enabled"),
    error: z.array(z.string()).nullish(),
  }),
);
type Listed = z.infer<typeof listed>[number] & { readonly element: string };
const lists = [
  ...["routers", "services", "middlewares"].flatMap((kind) => [`http/${kind}`, `tcp/${kind}`]),
  ...["udp/routers", "udp/services"],
];

describe.skipIf(!stack)("a real Traefik", () => {
  if (!stack) return;
  const directory = mkdtempSync(join(tmpdir(), "sluice-validate-"));
  const rules = join(directory, "rules");
  let image = "";
  let container = "";
  let api = "";
  let logs: ReturnType<typeof spawn> | undefined;
  let log = "";
  let round = 0;

  beforeAll(async () => {
    mkdirSync(join(rules, "case"), { recursive: true });
    image = (await docker("inspect", "--format", "{{.Image}}", stack.containers.traefik ?? "")).stdout.trim();
    const port = await freePort();
    api = `http://127.0.0.1:${port}/api`;
    const { stdout } = await docker(
      ...["run", "--detach", "--rm", "--volume", `${rules}:/rules:ro`],
      ...["--publish", `127.0.0.1:${port}:8080`, "--entrypoint", "traefik", image],
      ...["--entryPoints.web.address=:80", "--entryPoints.websecure.address=:443"],
      ...["--entryPoints.traefik.address=:8080", "--entryPoints.dns.address=:53/udp", "--api.insecure=true"],
      ...["--providers.file.directory=/rules", "--providers.providersThrottleDuration=10ms"],
      ...["--log.level=WARN", "--log.noColor=true"],
    );
    container = stdout.trim();
    logs = spawn("docker", ["logs", "--follow", container], { stdio: ["ignore", "pipe", "pipe"] });
    const take = (text: Buffer) => {
      log += text.toString("utf8");
    };
    logs.stdout?.on("data", take);
    logs.stderr?.on("data", take);
    await until(
      "it answers",
      async () =>
        (await fetch(`${api}/version`, { signal: AbortSignal.timeout(1000) }).catch(() => null))?.ok,
      30_000,
    );
  }, 60_000);
  afterAll(async () => {
    logs?.kill();
    if (container !== "") await docker("rm", "--force", container);
    rmSync(directory, { recursive: true, force: true });
  });

  const listOf = async (list: string): Promise<Listed[]> => {
    const answer = await fetch(`${api}/${list}?per_page=1000`, { signal: AbortSignal.timeout(5000) });
    return listed.parse(await answer.json()).map((one) => ({
      ...one,
      // A router that is at odds about TLS options has another name on that entry point.
      element: `${list.replace("/", ".")}.${one.name.replace(/^\w+-conflicted-/, "").replace(/@file$/, "")}`,
    }));
  };

  /**
   * Gives Traefik the files; what it has then, or its words of why it took nothing. Only a rename in the directory itself wakes it, so
   * that it sees all of them at once, below.
   */
  const given = async (files: Readonly<Record<string, string>>): Promise<Listed[] | string> => {
    round += 1;
    const place = `case/${String(round).padStart(4, "0")}`;
    for (const old of readdirSync(join(rules, "case"))) rmSync(join(rules, "case", old), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      const path = join(rules, place, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    const marker = `marker${round}`;
    const router = { rule: "Host(`marker.invalid`)", service: "noop@internal", entryPoints: ["web"] };
    writeFileSync(join(directory, "marker"), JSON.stringify({ http: { routers: { [marker]: router } } }));
    renameSync(join(directory, "marker"), join(rules, "marker.yml"));
    return until(
      `Traefik says something of ${place}`,
      async () => {
        const refusal = log
          .split("\n")
          .find((line) => line.includes("ERR") && line.includes(`/rules/${place}/`));
        if (refusal !== undefined && /watcher callback/.test(refusal)) return refusal;
        const there = await fetch(`${api}/http/routers/${marker}@file`, {
          signal: AbortSignal.timeout(5000),
        });
        if (!there.ok) return null;
        const found = (await Promise.all(lists.map(listOf))).flat();
        return found.filter(({ name }) => name.endsWith("@file") && !name.startsWith("marker"));
      },
      15_000,
    );
  };

  const stopped = (problems: readonly Problem[], kind: RegExp): string[] => [
    ...new Set(
      problems
        .filter(({ effect, params }) => effect === "disabled" && kind.test(String(params.element)))
        .map(({ params }) => String(params.element)),
    ),
  ];

  const compare = async (all: readonly Case[]): Promise<void> => {
    const differ: string[] = [];
    const notWorded: string[] = [];
    for (const { what, files } of all) {
      const ours = validateDirectory(
        Object.entries(files).map(([name, text]) => ({ name, text })),
        known,
      );
      const theirs = await given(files);
      const rejected = ours.filter(({ effect }) => effect === "rejected");
      const say = (text: string) => differ.push(`${what}: ${text}`);
      const worded = (problems: readonly Problem[], errors: readonly string[]) =>
        problems.some(({ code }) => errors.some((error) => words[code]?.test(error)));
      if (typeof theirs === "string") {
        if (rejected.length === 0) say(`Traefik rejects it (${theirs}), we do not`);
        else if (!worded(rejected, [theirs])) notWorded.push(`${what}: ${rejected[0]?.code}: ${theirs}`);
        continue;
      }
      if (rejected.length > 0) {
        say(`we reject it (${rejected.map(({ code }) => code)}), Traefik does not`);
        continue;
      }
      const disabled = theirs.filter(({ status }) => status === "disabled");
      const errorsOf = new Map(disabled.map(({ element, error }) => [element, error ?? []]));
      // A child with TLS and no entry point is not even listed.
      const there = new Set(theirs.map(({ element }) => element));
      const routers = [...errorsOf.keys()].filter((element) => element.includes(".routers."));
      const wanted = stopped(ours, /\.routers\./);
      for (const element of routers)
        if (!wanted.includes(element)) say(`Traefik stops ${element}: ${errorsOf.get(element)}`);
      for (const element of wanted) {
        const codes = ours
          .filter(({ params, effect }) => effect === "disabled" && params.element === element)
          .map(({ code }) => code);
        if (routers.includes(element) || (!there.has(element) && codes.join() === "childWithTls")) continue;
        say(`we stop ${element}: ${codes}`);
      }
      // Of services and middlewares it may find the first broken one only.
      const others = stopped(ours, /\.(services|middlewares)\./);
      for (const { element, error } of disabled)
        if (!element.includes(".routers.") && !others.includes(element))
          say(`Traefik stops ${element}: ${error}`);
      if (others.length > 0 && routers.length === 0) say(`we stop ${others}, Traefik stops no router`);
      for (const { element, status } of theirs)
        if (
          status === "warning" &&
          !ours.some(({ effect, params }) => effect === "ignored" && params.element === element)
        )
          say(`Traefik warns of ${element}`);
      const found = ours.filter(({ effect }) => effect === "disabled");
      const errors = disabled.flatMap(({ error }) => error ?? []);
      if (disabled.length > 0 && !worded(found, errors))
        notWorded.push(`${what}: ${found.map(({ code }) => code)}: ${errors}`);
    }
    expect(differ).toEqual([]);
    expect(notWorded).toEqual([]);
  };

  test(`${cases.length} directories: it takes what we say it takes, and stops what we say it stops`, async () => {
    await compare(cases);
  }, 240_000);

  test("and so it does with 80 that chance has made", async () => {
    await compare(drawn(80, 20261126));
  }, 120_000);

  test("it dies of a UDP service that leads back to itself", async () => {
    const deadly = join(directory, "deadly");
    mkdirSync(deadly);
    const text = JSON.stringify({
      udp: {
        routers: { r: { entryPoints: ["dns"], service: "s" } },
        services: { s: { weighted: { services: [{ name: "s" }] } } },
      },
    });
    writeFileSync(join(deadly, "a.yml"), text);
    const problems = validateDirectory([{ name: "a.yml", text }], known);
    expect(problems.find(({ code }) => code === "deadlyRecursion")).toMatchObject({ effect: "rejected" });
    const { stdout } = await docker(
      ...[
        "run",
        "--detach",
        "--memory=256m",
        "--volume",
        `${deadly}:/rules:ro`,
        "--entrypoint",
        "traefik",
        image,
      ],
      ...["--entryPoints.dns.address=:53/udp", "--providers.file.directory=/rules"],
    );
    const died = stdout.trim();
    try {
      expect((await docker("wait", died)).stdout.trim()).not.toBe("0");
    } finally {
      await docker("rm", "--force", died);
    }
  }, 120_000);
});

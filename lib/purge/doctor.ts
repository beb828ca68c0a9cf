// The purge doctor: harmless canaries through one node or Cloudflare that find why purges would not work, and what to change.
import { randomBytes } from "node:crypto";
import type { Actor } from "@/lib/changes/kind";
import { config } from "@/lib/config/load";
import type { Config, SiteConfig } from "@/lib/config/schema";
import { type AppError, AppError as Failure, toAppError } from "@/lib/errors/app-error";
import { publicUrl } from "@/lib/sites/address";
import { addressOf, mainHost, siteByName } from "@/lib/sites/site";
import type { CloudflareZone } from "@/lib/systems/cloudflare/api";
import { meters, purge as purgeCloudflare } from "@/lib/systems/cloudflare/purge";
import { readZone, verifyToken } from "@/lib/systems/cloudflare/zone";
import { fetchThrough } from "@/lib/systems/http/fetch-through";
import { banList } from "@/lib/systems/varnish/cli";
import { ban, type PurgeOutcome, peek, purgeTags, purgeUrl } from "@/lib/systems/varnish/http";
import type { DoctorFinding } from "./contract";
import { knownPages } from "./find";
import { cachesOf, type VarnishCache } from "./stack";

type Status = DoctorFinding["status"];
type Check = DoctorFinding["check"];
type Params = DoctorFinding["params"];

/** Codes with a sentence of their own under `doctor.failed`. */
const failureKeys = new Set([
  "UNREACHABLE",
  "TIMEOUT",
  "REFUSED",
  "BAD_ANSWER",
  "UPSTREAM_AUTH",
  "UPSTREAM_LIMIT",
]);

/** Findings in the order they were made. `fix` is a key under `doctorFix.`. */
class Report {
  readonly findings: DoctorFinding[] = [];
  say(
    check: Check,
    status: Status,
    key: string,
    evidence: string,
    fix: string | null = null,
    params: Params = {},
  ): void {
    this.findings.push({ check, status, key, params, fix, evidence: evidence.slice(0, 500) });
  }
  failed(check: Check, error: AppError, fix: string | null): void {
    const status: Status = error.code === "UNREACHABLE" || error.code === "TIMEOUT" ? "unknown" : "fail";
    const told = failureKeys.has(error.code) ? error.code.toLowerCase() : "other";
    this.say(check, status, `failed.${told}`, error.message, fix, { code: error.code });
  }
}

const word = () => randomBytes(6).toString("hex");
const told = (outcome: PurgeOutcome) =>
  outcome.ok ? `200, ${outcome.count ?? "?"} purged` : outcome.error.message;

function mayExamine(actor: Actor): void {
  if (actor.role === "operator" || actor.role === "admin") return;
  throw new Failure("FORBIDDEN", "The purge doctor is for operators.", { problem: "doctor.role" });
}

/** A page of the site to look at under a query of our own: nobody else asks for that copy, so purging it harms nobody. */
async function canaryPage(site: SiteConfig): Promise<{ host: string; path: string }> {
  const [first] = await knownPages(site);
  return first ? { host: first.host, path: first.key } : { host: mainHost(site), path: "/" };
}

const withQuery = (path: string, query: string) => `${path}${path.includes("?") ? "&" : "?"}${query}`;

/** One node with one canary. Each step tells what it needs from the one before. */
class NodeExam {
  readonly #report: Report;
  readonly #node: VarnishCache;
  readonly #site: SiteConfig;
  readonly #host: string;
  readonly #page: string;

  constructor(report: Report, node: VarnishCache, site: SiteConfig, page: { host: string; path: string }) {
    this.#report = report;
    this.#node = node;
    this.#site = site;
    this.#host = page.host;
    this.#page = page.path;
  }

  #get(path: string, encoding = "gzip") {
    const headers = { "accept-encoding": encoding, accept: "*/*", "user-agent": "Sluice-Doctor/1" };
    return fetchThrough({
      base: this.#node.url,
      host: this.#host,
      path,
      headers,
      timeoutMs: Math.max(this.#node.timeout, 5000),
    });
  }
  #canary = (): string => withQuery(this.#page, `sluice-doctor=${word()}`);
  /** Whether the cache has it: by PEEK, else by asking twice. */
  async #cached(path: string, encoding = "gzip"): Promise<boolean | null> {
    const seen = await peek(this.#node, this.#host, path, { acceptEncoding: encoding });
    if (seen.state !== "unsupported") return seen.state === "hit";
    return null;
  }

  async run(): Promise<void> {
    if (!(await this.#reach())) return;
    const peeks = await this.#peek();
    const purges = await this.#acl();
    if (purges) await this.#hostMatch(peeks);
    if (purges && peeks) await this.#encodings();
    if (peeks) await this.#tags();
    await this.#headerRoom();
    await this.#bans(peeks);
    if (purges && peeks) await this.#soft();
  }

  async #reach(): Promise<boolean> {
    try {
      const answer = await this.#get(this.#page);
      const varnish = answer.headers["x-varnish"] !== undefined;
      this.#report.say(
        "reach",
        varnish ? "ok" : "warn",
        varnish ? "reach.ok" : "reach.noVarnish",
        `GET ${this.#host}${this.#page}: ${answer.status} in ${Math.round(answer.ms)} ms`,
        varnish ? null : "reach.url",
        { ms: Math.round(answer.ms) },
      );
      return true;
    } catch (error) {
      this.#report.failed("reach", toAppError(error), "reach.url");
      return false;
    }
  }

  async #peek(): Promise<boolean> {
    try {
      const seen = await peek(this.#node, this.#host, this.#canary());
      if (seen.state === "unsupported") {
        this.#report.say("peek", "warn", "peek.unsupported", "PEEK is not understood", "peek.vcl");
        return false;
      }
      this.#report.say("peek", "ok", "peek.ok", `PEEK: ${seen.state}`);
      this.#report.say(
        "boot",
        seen.boot === null ? "warn" : "ok",
        seen.boot === null ? "boot.none" : "boot.ok",
        `Sluice-Boot: ${seen.boot ?? "-"}`,
        seen.boot === null ? "boot.vcl" : null,
      );
      return true;
    } catch (error) {
      this.#report.failed("peek", toAppError(error), "acl.network");
      return false;
    }
  }

  async #acl(): Promise<boolean> {
    const outcome = await purgeUrl(this.#node, { host: this.#host, path: this.#canary(), soft: false });
    if (outcome.ok) this.#report.say("acl", "ok", "acl.ok", `PURGE: ${told(outcome)}`);
    else
      this.#report.failed(
        "acl",
        outcome.error,
        outcome.error.code === "REFUSED" ? "acl.network" : "reach.url",
      );
    return outcome.ok;
  }

  /** A PURGE with the public host must really remove what a visitor's request put there. */
  async #hostMatch(peeks: boolean): Promise<void> {
    const path = this.#canary();
    try {
      const stored = await this.#get(path);
      const again = await this.#get(path);
      const hit = peeks ? await this.#cached(path) : /^\d+ \d+$/.test(again.headers["x-varnish"] ?? "");
      if (!hit) {
        this.#report.say(
          "host",
          "unknown",
          "host.notCached",
          `${stored.status}, Cache-Control: ${stored.headers["cache-control"] ?? "-"}`,
          "host.cacheable",
        );
        return;
      }
      const outcome = await purgeUrl(this.#node, { host: this.#host, path, soft: false });
      const after = await this.#get(path);
      const gone = !/^\d+ \d+$/.test(after.headers["x-varnish"] ?? "");
      this.#report.say(
        "host",
        gone ? "ok" : "fail",
        gone ? "host.ok" : "host.mismatch",
        `PURGE Host: ${this.#host}: ${told(outcome)}; then X-Varnish ${after.headers["x-varnish"] ?? "-"}`,
        gone ? null : "host.hash",
        { host: this.#host },
      );
    } catch (error) {
      this.#report.failed("host", toAppError(error), null);
    } finally {
      await purgeUrl(this.#node, { host: this.#host, path, soft: false });
    }
  }

  /** A VCL that hashes the encoding keeps copies that a PURGE with none does not reach. */
  async #encodings(): Promise<void> {
    const path = this.#canary();
    const encodings = ["gzip", "br", "identity"];
    try {
      for (const encoding of encodings) await this.#get(path, encoding);
      await purgeUrl(this.#node, { host: this.#host, path, soft: false });
      const left: string[] = [];
      for (const encoding of encodings) if (await this.#cached(path, encoding)) left.push(encoding);
      const ok = left.length === 0;
      this.#report.say(
        "encoding",
        ok ? "ok" : "fail",
        ok ? "encoding.ok" : "encoding.split",
        `stored with ${encodings.join(", ")}; after PURGE left: ${left.join(", ") || "none"}`,
        ok ? null : "encoding.hash",
        { left: left.join(", ") },
      );
    } catch (error) {
      this.#report.failed("encoding", toAppError(error), null);
    }
  }

  /** Tags that the origin sends must be kept with the object, or a purge by tag finds nothing. */
  async #tags(): Promise<void> {
    const path = this.#canary();
    try {
      const origin = this.#site.origin;
      const names = ["xkey", "surrogate-key", "cache-tags", "x-cache-tags", "cache-tag"];
      const truth =
        origin === undefined
          ? null
          : await fetchThrough({ base: origin, host: this.#host, path, timeoutMs: 5000 });
      const sent = truth === null ? null : names.filter((name) => truth.headers[name] !== undefined);
      await this.#get(path);
      const seen = await peek(this.#node, this.#host, path);
      const kept = seen.state === "hit" ? seen.tags : [];
      const evidence = `origin sends ${sent === null ? "?" : sent.join(", ") || "no tag header"}; the node keeps ${kept.length} tags`;
      if (kept.length > 0)
        this.#report.say("tags", "ok", "tags.ok", `${evidence}: ${kept.slice(0, 5).join(" ")}`, null, {
          count: kept.length,
        });
      else if (sent?.length === 0) this.#report.say("tags", "warn", "tags.none", evidence, "tags.send");
      else
        this.#report.say("tags", sent === null ? "unknown" : "fail", "tags.stripped", evidence, "tags.keep");
    } catch (error) {
      this.#report.failed("tags", toAppError(error), null);
    } finally {
      await purgeUrl(this.#node, { host: this.#host, path, soft: false });
    }
  }

  /** Long tag lists come in one header: the node must take it. */
  async #headerRoom(): Promise<void> {
    if (this.#node.vcl === "plain")
      return this.#report.say("headerRoom", "unknown", "headerRoom.plain", "the VCL takes no tags");
    const tags = Array.from({ length: 240 }, () => `sluice-doctor-${word()}`);
    const bytes = tags.join(" ").length;
    const outcome = await purgeTags(this.#node, tags, false);
    if (outcome.ok)
      this.#report.say(
        "headerRoom",
        "ok",
        "headerRoom.ok",
        `xkey in ${bytes} bytes: ${told(outcome)}`,
        null,
        { bytes },
      );
    else
      this.#report.say("headerRoom", "fail", "headerRoom.small", told(outcome), "headerRoom.param", {
        bytes,
      });
  }

  /** A ban of one canary must remove it, and name only what the object carries, so that the lurker can work it off. */
  async #bans(peeks: boolean): Promise<void> {
    const path = this.#canary();
    const mark = path.slice(path.indexOf("sluice-doctor="));
    if (this.#node.vcl === "plain")
      return this.#report.say("ban", "warn", "ban.plain", "the VCL takes no BAN from Sluice", "ban.vcl");
    try {
      await this.#get(path);
      const outcome = await ban(this.#node, { host: this.#host, regex: mark });
      if (!outcome.ok)
        return this.#report.failed("ban", outcome.error, outcome.error.code === "REFUSED" ? "ban.vcl" : null);
      const left = peeks ? await this.#cached(path) : null;
      let lurker = "";
      let friendly = true;
      if ((this.#node.admin ?? this.#node.admin_listen) !== undefined) {
        const bans = await banList(this.#node);
        const requests = bans.filter((one) => !one.completed && /\breq\./.test(one.spec ?? ""));
        friendly = requests.length === 0;
        lurker = `; ${bans.length} bans, ${requests.length} on req.*`;
      }
      const evidence = `BAN ${mark}: ${told(outcome)}, then PEEK ${left === null ? "?" : left ? "HIT" : "MISS"}${lurker}`;
      if (left) this.#report.say("ban", "fail", "ban.noEffect", evidence, "ban.vcl");
      else if (!friendly) this.#report.say("ban", "warn", "ban.req", evidence, "ban.lurker");
      else this.#report.say("ban", "ok", "ban.ok", evidence);
    } catch (error) {
      this.#report.failed("ban", toAppError(error), null);
    }
  }

  async #soft(): Promise<void> {
    const path = this.#canary();
    try {
      await this.#get(path);
      const outcome = await purgeUrl(this.#node, { host: this.#host, path, soft: true });
      const seen = await peek(this.#node, this.#host, path);
      const ok = outcome.ok && (seen.state === "miss" || (seen.state === "hit" && seen.ttlS <= 0));
      const evidence = `Sluice-Soft: ${told(outcome)}; then ${seen.state === "hit" ? `ttl ${seen.ttlS.toFixed(1)} s, grace ${seen.graceS.toFixed(0)} s` : seen.state}`;
      this.#report.say(
        "softPurge",
        ok ? "ok" : "warn",
        ok ? "softPurge.ok" : "softPurge.hard",
        evidence,
        ok ? null : "softPurge.vcl",
      );
    } catch (error) {
      this.#report.failed("softPurge", toAppError(error), null);
    } finally {
      await purgeUrl(this.#node, { host: this.#host, path, soft: false });
    }
  }
}

async function examineZone(report: Report, zone: CloudflareZone, site: SiteConfig): Promise<void> {
  try {
    const { status } = await verifyToken(zone);
    report.say(
      "token",
      status === "active" ? "ok" : "fail",
      status === "active" ? "token.ok" : "token.inactive",
      `token: ${status}`,
      status === "active" ? null : "token.renew",
      { status },
    );
  } catch (thrown) {
    const error = toAppError(thrown);
    report.failed("token", error, error.code === "UPSTREAM_AUTH" ? "token.renew" : "reach.url");
    if (error.code === "UPSTREAM_AUTH" || error.code === "UNREACHABLE") return;
  }
  try {
    const found = await readZone(zone);
    const host = mainHost(site);
    const own = host === found.name || host.endsWith(`.${found.name}`);
    report.say(
      "zone",
      own ? "ok" : "fail",
      own ? "zone.ok" : "zone.otherHost",
      `zone ${found.name} (${found.status}), host ${host}`,
      own ? null : "zone.id",
      { zone: found.name, host },
    );
    if (found.plan !== null && found.plan !== zone.plan)
      report.say(
        "limits",
        "warn",
        "limits.otherPlan",
        `Cloudflare says ${found.plan}, sluice.yaml ${zone.plan}`,
        "limits.plan",
        { plan: found.plan },
      );
  } catch (thrown) {
    const error = toAppError(thrown);
    // Purging works without Zone Read.
    if (error.code === "UPSTREAM_AUTH")
      report.say("zone", "unknown", "zone.mayNotRead", error.message, "zone.read");
    else report.failed("zone", error, "zone.id");
  }
  const host = mainHost(site);
  const canary = `/sluice-doctor-${word()}`;
  const outcome = await purgeCloudflare(zone, { files: [publicUrl(site, host, canary)] }, { retries: 0 });
  if (outcome.ok) report.say("scope", "ok", "scope.ok", `purge_cache of ${canary}: accepted`);
  else
    report.failed("scope", outcome.error, outcome.error.code === "UPSTREAM_AUTH" ? "scope.cachePurge" : null);
  const { lookups, urls } = meters(zone);
  report.say(
    "limits",
    lookups.left > 0 && urls.left > 0 ? "ok" : "warn",
    "limits.meter",
    `calls ${lookups.left}/${lookups.size}, addresses ${urls.left}/${urls.size}`,
    null,
    { calls: lookups.left, urls: urls.left },
  );
  try {
    const page = await canaryPage(site);
    const base = site.edge ?? addressOf(site, page.host).origin;
    const answer = await fetchThrough({ base, host: page.host, path: page.path, timeoutMs: 5000 });
    const status = answer.headers["cf-cache-status"];
    const cached = status !== undefined && !["DYNAMIC", "BYPASS", "NONE", "UNKNOWN"].includes(status);
    if (status === undefined)
      report.say(
        "edge",
        "fail",
        "edge.notCloudflare",
        `${page.host}${page.path}: no CF-Cache-Status`,
        "edge.proxied",
        { host: page.host },
      );
    else
      report.say(
        "edge",
        cached ? "ok" : "warn",
        cached ? "edge.ok" : "edge.notCached",
        `CF-Cache-Status: ${status}`,
        cached ? null : "edge.rule",
        { status },
      );
  } catch (error) {
    report.failed("edge", toAppError(error), "reach.url");
  }
}

const siteFor = (
  settings: Config,
  wanted: string | undefined,
  uses: (site: SiteConfig) => boolean,
): SiteConfig => {
  const site = wanted === undefined ? settings.sites.find(uses) : siteByName(settings, wanted);
  if (site && uses(site)) return site;
  throw new Failure("NOT_FOUND", "No site uses this system: the doctor needs a page of one.", {
    problem: "doctor.noSite",
    field: "site",
  });
};

/** Examines one system through a canary of a site (the first that uses it). Throws AppError FORBIDDEN, NOT_FOUND. */
export async function runDoctor(
  kind: "varnish" | "cloudflare",
  name: string,
  site: string | undefined,
  actor: Actor,
): Promise<DoctorFinding[]> {
  mayExamine(actor);
  const settings = config();
  const report = new Report();
  const unknown = () =>
    new Failure("NOT_FOUND", `There is no ${kind} ${name.slice(0, 100)}.`, {
      problem: "system.unknown",
      params: { name: name.slice(0, 100) },
    });
  if (kind === "varnish") {
    const node = settings.systems.varnish.find((one) => one.name === name);
    if (!node) throw unknown();
    const own = siteFor(settings, site, (one) => one.caches.varnish.includes(name));
    await new NodeExam(report, node, own, await canaryPage(own)).run();
  } else {
    const own = siteFor(settings, site, (one) => one.caches.cloudflare === name);
    const zone = cachesOf(settings, own).cloudflare;
    if (!zone) throw unknown();
    await examineZone(report, zone, own);
  }
  return report.findings;
}

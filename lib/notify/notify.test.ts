// Notices: who hears of what, what they say, and that each is handed over once, whatever refuses, hangs or dies in between.
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { configSchema } from "../config/schema";
import { closeDatabase, db } from "../db/client";
import { openDatabase } from "../db/open";
import { AppError } from "../errors/app-error";
import type { IncidentRow } from "../incidents/contract";
import { closeServers, web } from "../systems/test-server";
import { until } from "../systems/test-stack";
import { type Channel, type Due, Notifier, type Sent } from "./notifier";
import { channelsForChange, channelsForIncident, within } from "./rules";
import { send } from "./send";
import { renderTemplate, templateProblem } from "./template";
import { mailOf, type Notice, wordsOf } from "./words";

const incident: IncidentRow = {
  id: 7,
  title: "db",
  state: "open",
  severity: "critical",
  cause: "mariadb/db",
  openedBy: "probe",
  openedAt: "2026-11-25T02:14:00.000Z",
  acknowledgedBy: null,
  acknowledgedAt: null,
  assignee: null,
  closedBy: null,
  closedAt: null,
  components: [
    { component: "mariadb/db", since: "2026-11-25T02:14:00.000Z", until: null, beside: false },
    { component: "http/symfony", since: "2026-11-25T02:14:05.000Z", until: null, beside: false },
  ],
  tickets: [],
};
const notice: Notice = {
  event: "opened",
  incident,
  problem: { problem: "http.timeout", params: { address: "127.0.0.1:3306", ms: 3000 } },
  suspect: null,
  change: null,
  channel: "c",
};
const settingsOf = (notify: object) =>
  configSchema.parse({
    server: { url: "https://sluice.example.org" },
    systems: { smtp: [{ name: "mail", address: "127.0.0.1:1" }] },
    notify,
  });
const channelOf = (more: object): Channel => {
  const [channel] = settingsOf({ channels: [{ name: "c", ...more }] }).notify.channels;
  if (channel === undefined) throw new Error("no channel");
  return channel;
};

describe("rules", () => {
  const { notify } = settingsOf({
    channels: ["a", "b"].map((name) => ({ name, type: "slack", url: "https://hooks.example/x" })),
    rules: [
      { to: ["a"], severity: "critical", components: ["mariadb/*"] },
      { to: ["b"], incidents: ["acknowledged"], changes: ["service.*"], outcomes: ["failed"] },
    ],
  });
  const at = new Date();

  test("severity, component and event; a rule that knows a folded component hears too", () => {
    expect(channelsForIncident(notify, "opened", incident, at)).toEqual(["a"]);
    expect(channelsForIncident(notify, "opened", { ...incident, severity: "warning" }, at)).toEqual([]);
    const other = { ...incident, cause: "redis/db", components: [] };
    expect(channelsForIncident(notify, "opened", other, at)).toEqual([]);
    expect(channelsForIncident(notify, "opened", { ...other, components: incident.components }, at)).toEqual([
      "a",
    ]);
    expect(channelsForIncident(notify, "acknowledged", other, at)).toEqual(["b"]);
  });

  test("without rules all hear of incidents, and none of changes", () => {
    const none = { ...notify, rules: [] };
    expect(channelsForIncident(none, "closed", incident, at)).toEqual(["a", "b"]);
    expect(channelsForIncident(none, "acknowledged", incident, at)).toEqual([]);
    expect(channelsForChange(none, { kind: "service.deploy", state: "failed" }, at)).toEqual([]);
  });

  test("changes by kind and end; one that was cancelled is nobody's news", () => {
    const told = (kind: string, state: "done" | "failed" | "cancelled" | "interrupted") =>
      channelsForChange(notify, { kind, state }, at);
    expect(told("service.deploy", "failed")).toEqual(["b"]);
    expect(told("service.deploy", "interrupted")).toEqual(["b"]);
    expect(told("service.deploy", "done")).toEqual([]);
    expect(told("service.deploy", "cancelled")).toEqual([]);
    expect(told("xservice.deploy", "failed")).toEqual([]);
    expect(told("purge", "failed")).toEqual([]);
  });

  test("hours in their own zone, over midnight, by the day that they began on", () => {
    const paris = { from: "22:00", to: "06:00", days: ["fri" as const], time_zone: "Europe/Paris" };
    // 2026-11-27 is a Friday; Paris is an hour ahead of UTC.
    expect(within(paris, new Date("2026-11-27T20:59:00Z"))).toBe(false);
    expect(within(paris, new Date("2026-11-27T21:00:00Z"))).toBe(true);
    expect(within(paris, new Date("2026-11-28T04:59:00Z"))).toBe(true);
    expect(within(paris, new Date("2026-11-28T05:00:00Z"))).toBe(false);
    expect(within(paris, new Date("2026-11-28T21:30:00Z"))).toBe(false);
    expect(within({ from: "08:00", to: "18:00", time_zone: "UTC" }, new Date("2026-11-28T17:59:00Z"))).toBe(
      true,
    );
  });
});

describe("words", () => {
  test("what is broken, since when in the reader's own zone, why, what suffers, and where to look", () => {
    const words = wordsOf(notice, { language: "fr", time_zone: "Europe/Paris" }, "https://s.example");
    expect(words.title).toBe("db est en panne");
    expect(words.lines[0]).toContain("03:14:00");
    expect(words.lines.join("\n")).toContain("127.0.0.1:3306");
    expect(words.lines.join("\n")).toContain("symfony");
    expect(words.link?.url).toBe("https://s.example/incidents/7");
    expect(words.tone).toBe("bad");
    const closed = (closedBy: string) => {
      const ended = { ...incident, state: "closed" as const, closedAt: "2026-11-25T02:20:00.000Z", closedBy };
      const told = { ...notice, event: "closed" as const, problem: null, incident: ended };
      return wordsOf(told, { language: "en", time_zone: "UTC" }, undefined);
    };
    expect(closed("probe")).toMatchObject({ title: "db is well again", tone: "good", link: null });
    expect(closed("probe").lines[0]).toContain("6 minutes");
    // Closed by somebody: whether it is well nobody said.
    expect(closed("Ada")).toMatchObject({ title: "Closed: db", tone: "info" });
  });

  test("where its ticket is, in every notice of it", () => {
    const tickets = [{ tracker: "lab", id: "3", key: "#3", url: "https://lab.example/3" }];
    for (const event of ["opened", "acknowledged", "closed"] as const) {
      const { lines } = wordsOf(
        { ...notice, event, incident: { ...incident, tickets } },
        { language: "fr", time_zone: "UTC" },
        undefined,
      );
      expect(lines.at(-1)).toBe("Ticket #3\u00a0: https://lab.example/3");
    }
  });

  test("a title from outside is text, in mail's HTML and in its header", () => {
    const words = wordsOf(
      { ...notice, incident: { ...incident, cause: null, title: 'x</h1><script>\r\nBcc: a@b "' } },
      { language: "en", time_zone: "UTC" },
      undefined,
    );
    const mail = mailOf(words, "en");
    expect(mail.html).not.toContain("<script>");
    expect(mail.subject).not.toMatch(/[\r\n]/);
    expect(mail.text).toContain("x</h1><script>");
  });
});

describe("a template", () => {
  test("that cannot be read is told with its place", () => {
    expect(templateProblem("{{ notice.title | json }}")).toBeNull();
    expect(templateProblem("line\n  {% if %}")).toMatch(/line 2, column 8/);
    expect(templateProblem("{{ notice.title")).toMatch(/not closed/);
    expect(templateProblem("{{ notice.title | nosuch }}")).toMatch(/nosuch/);
  });

  test("reaches neither files nor prototypes, and ends", () => {
    expect(renderTemplate("[{{ notice.constructor }}{{ notice.__proto__ }}]", { notice: {} })).toBe("[]");
    expect(() => renderTemplate("{% render '/etc/passwd' %}", {})).toThrow();
    expect(() => renderTemplate("{% include 'x' %}", {})).toThrow();
    expect(() => renderTemplate("{% for i in (1..100000000) %}x{% endfor %}", {})).toThrow();
  });
});

/** A receiver that refuses what the real one refuses. */
type Got = { readonly request: IncomingMessage; readonly body: string };
async function receiver(answer: (got: Got) => [status: number, body: string, headers?: object]) {
  const got: Got[] = [];
  const url = await web((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const one = { request, body: Buffer.concat(chunks).toString("utf8") };
      got.push(one);
      const [status, body, headers = {}] = answer(one);
      response.writeHead(status, { ...headers }).end(body);
    });
  });
  return { url, got };
}
const parsed = (body: string) => {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
};
/** docs.slack.dev: errors of incoming webhooks. */
const slack = ({ request, body }: Got): [number, string] => {
  const message = parsed(body);
  if (request.url !== "/services/T/B/key") return [404, "no_service"];
  if (message === null) return [400, "invalid_payload"];
  if (typeof message.text !== "string" || message.text === "") return [400, "no_text"];
  const blocks: { type: string; text?: { text: string } }[] = message.blocks ?? [];
  if (blocks.length > 50 || blocks.some(({ text }) => (text?.text.length ?? 0) > 3000))
    return [400, "invalid_blocks"];
  return [200, "ok"];
};
const teams = ({ body }: Got): [number, string] => {
  const card = parsed(body)?.attachments?.[0];
  return body.length <= 28_000 &&
    parsed(body)?.type === "message" &&
    card?.contentType === "application/vnd.microsoft.card.adaptive" &&
    card.content?.type === "AdaptiveCard" &&
    card.content.version === "1.2"
    ? [202, ""]
    : [400, "Bad payload received by generic incoming webhook."];
};
const ntfy = ({ request, body }: Got): [number, string] => {
  const message = parsed(body);
  if (request.headers.authorization !== "Bearer tk_1") return [401, '{"code":40101,"error":"unauthorized"}'];
  if (request.url !== "/" || !/^[-_A-Za-z0-9]{1,64}$/.test(message?.topic ?? ""))
    return [400, '{"code":40024}'];
  return message.message.length <= 4096 && message.priority >= 1 && message.priority <= 5
    ? [200, "{}"]
    : [400, "{}"];
};

describe("each service takes it, and its refusals are told without the key", () => {
  afterEach(closeServers);
  const settings = settingsOf({});
  const give = (more: object, what: Notice = notice) => send(1, what, channelOf(more), settings);
  const long: Notice = {
    ...notice,
    incident: { ...incident, cause: null, title: `<@everyone> ${"é".repeat(190)}` },
  };

  test("Slack", async () => {
    const { url, got } = await receiver(slack);
    await give({ type: "slack", url: `${url}/services/T/B/key` });
    await give({ type: "slack", url: `${url}/services/T/B/key` }, long);
    expect(got[1]?.body).not.toContain("<@everyone>");
    const refused = await give({ type: "slack", url: `${url}/services/T/B/gone` }).catch((error) => error);
    expect(refused).toMatchObject({ code: "REFUSED", message: expect.stringContaining("no_service") });
    expect(refused.message).not.toContain("gone");
  });

  test("Teams and ntfy", async () => {
    const card = await receiver(teams);
    await give({ type: "teams", url: `${card.url}/hook` }, long);
    const phone = await receiver(ntfy);
    await give({ type: "ntfy", url: phone.url, topic: "ops", token: "tk_1" }, long);
    expect(parsed(phone.got[0]?.body ?? "")).toMatchObject({ topic: "ops", priority: 5 });
    await expect(give({ type: "ntfy", url: phone.url, topic: "ops", token: "tk_2" })).rejects.toMatchObject({
      code: "UPSTREAM_AUTH",
    });
  });

  test("a webhook: its template, its headers, its signature; a limit is told with its time", async () => {
    const { url, got } = await receiver(({ request }) =>
      request.url === "/busy" ? [429, "slow down", { "retry-after": "7" }] : [204, ""],
    );
    await give({
      type: "webhook",
      url: `${url}/x`,
      method: "PUT",
      headers: { "X-Room": "ops" },
      secret: "s",
      template: '{"t":{{ notice.title | json }},"e":"{{ notice.event }}"}',
    });
    const [one] = got;
    expect(one?.request).toMatchObject({ method: "PUT", headers: { "x-room": "ops" } });
    expect(parsed(one?.body ?? "")).toEqual({ t: "db is down", e: "opened" });
    expect(one?.request.headers["x-sluice-signature-256"]).toBe(
      `sha256=${createHmac("sha256", "s")
        .update(one?.body ?? "")
        .digest("hex")}`,
    );
    await expect(give({ type: "webhook", url: `${url}/busy` })).rejects.toMatchObject({
      code: "UPSTREAM_LIMIT",
      detail: { retryAfterMs: 7000 },
    });
    await expect(
      give({ type: "webhook", url, template: "{% for i in (1..9999999) %}x{% endfor %}" }),
    ).rejects.toMatchObject({ code: "INVALID_INPUT" });
  });
});

describe("on their way", () => {
  const directory = mkdtempSync(join(tmpdir(), "sluice-notices-"));
  beforeAll(async () => {
    process.env.SLUICE_DATA = directory;
    await openDatabase();
  });
  afterAll(async () => {
    await closeDatabase();
    rmSync(directory, { recursive: true, force: true });
  });
  const { notify } = settingsOf({
    channels: ["a", "b"].map((name) => ({ name, type: "slack", url: "https://hooks.example/x" })),
  });
  let sent: string[] = [];
  let answers: (() => Promise<Sent>)[] = [];
  const open: Notifier[] = [];
  function begin(): Notifier {
    const one = new Notifier({
      settings: () => notify,
      send: async (due: Due, channel: Channel) => {
        const answer = answers.shift();
        const state = answer === undefined ? "sent" : await answer();
        if (state === "sent") sent.push(`${channel.name} ${due.event} ${due.incidentId}`);
        return state;
      },
    });
    open.push(one);
    one.start();
    return one;
  }
  beforeEach(async () => {
    sent = [];
    answers = [];
    await db().delivery.deleteMany();
  });
  afterEach(async () => {
    for (const one of open.splice(0)) await one.stop();
  });
  const of = (more: object) => ({
    channel: "a",
    event: "opened" as const,
    incidentId: 7,
    title: "db",
    dedupe: "incident 7 opened",
    ...more,
  });
  const rows = () => db().delivery.findMany({ orderBy: { id: "asc" } });
  const due = () => db().delivery.updateMany({ data: { nextAttemptAt: new Date() } });
  const failing = (code: "UNREACHABLE" | "REFUSED") => async (): Promise<Sent> => {
    throw new AppError(code, "It is away.");
  };

  test("asked twice, told once, and in order", async () => {
    const notifier = begin();
    expect(await notifier.add(of({}))).not.toBeNull();
    expect(await notifier.add(of({}))).toBeNull();
    await notifier.add(of({ event: "closed", dedupe: "incident 7 closed" }));
    await notifier.add(of({ channel: "b" }));
    await until("all are told", async () => sent.length === 3, 5000);
    expect(sent.filter((one) => one.startsWith("a"))).toEqual(["a opened 7", "a closed 7"]);
  });

  test("what waits when Sluice dies is sent by the next one", async () => {
    const notifier = begin();
    await notifier.add(of({ delayMs: 60_000 }));
    await notifier.stop();
    expect(sent).toEqual([]);
    await due();
    begin();
    await until("it is told", async () => sent.length === 1, 5000);
  });

  test("who is away is tried again; who refuses is not; who is busy is left alone as long as it asks", async () => {
    const notifier = begin();
    answers = [failing("UNREACHABLE")];
    await notifier.add(of({}));
    await until("it was tried", async () => (await rows())[0]?.attempts === 1, 5000);
    const [waiting] = await rows();
    expect(waiting).toMatchObject({ state: "waiting", lastError: "It is away." });
    expect(waiting?.nextAttemptAt.getTime()).toBeGreaterThan(Date.now() + 2000);
    await due();
    notifier.wake();
    await until("it is told", async () => sent.length === 1, 5000);
    expect(await rows()).toMatchObject([{ state: "sent", attempts: 2, lastError: null }]);
    answers = [failing("REFUSED")];
    await notifier.add(of({ dedupe: "other" }));
    await until("it is given up", async () => (await rows())[1]?.state === "failed", 5000);
    answers = [
      async () => {
        throw new AppError("UPSTREAM_LIMIT", "Slow down.", { retryAfterMs: 120_000 });
      },
    ];
    await notifier.add(of({ dedupe: "third" }));
    await until("it was tried", async () => (await rows())[2]?.attempts === 1, 5000);
    expect((await rows())[2]?.nextAttemptAt.getTime()).toBeGreaterThan(Date.now() + 100_000);
  });

  test("who asks for a thousand years is asked again within hours", async () => {
    const notifier = begin();
    answers = [
      async () => {
        throw new AppError("UPSTREAM_LIMIT", "Slow down.", { retryAfterMs: 99_999_999_999_999_000 });
      },
    ];
    await notifier.add(of({}));
    await until("it was tried", async () => (await rows())[0]?.attempts === 1, 5000);
    expect((await rows())[0]?.nextAttemptAt.getTime()).toBeLessThan(Date.now() + 7 * 3_600_000);
  });

  test("one that is being sent is not sent again by who presses the button", async () => {
    const notifier = begin();
    let release = () => {};
    answers = [
      () =>
        new Promise((resolve) => {
          release = () => resolve("sent");
        }),
    ];
    const id = await notifier.add(of({}));
    await until("it is being sent", async () => answers.length === 0, 5000);
    await notifier.attempt(id ?? 0);
    expect(sent).toEqual([]);
    release();
    await until("it is told", async () => sent.length > 0, 5000);
    expect(sent).toEqual(["a opened 7"]);
  });

  test("what is mended is not told before what was broken, however long that waits; another incident's is", async () => {
    const notifier = begin();
    answers = [failing("UNREACHABLE")];
    await notifier.add(of({}));
    await until("it was tried", async () => (await rows())[0]?.attempts === 1, 5000);
    await notifier.add(of({ event: "closed", dedupe: "incident 7 closed" }));
    await notifier.add(of({ incidentId: 8, dedupe: "incident 8 opened" }));
    await until("the other incident is told", async () => sent.includes("a opened 8"), 5000);
    expect(sent).toEqual(["a opened 8"]);
    await db().delivery.updateMany({
      where: { incidentId: 7, event: "opened" },
      data: { nextAttemptAt: new Date() },
    });
    notifier.wake();
    await until("the first is told", async () => sent.includes("a opened 7"), 5000);
    await due();
    notifier.wake();
    await until("then its end", async () => sent.includes("a closed 7"), 5000);
    expect(sent).toEqual(["a opened 8", "a opened 7", "a closed 7"]);
  });

  test("given up after its time; a channel that is gone; nothing left to tell", async () => {
    const notifier = begin();
    answers = [failing("UNREACHABLE")];
    const id = await notifier.add(of({ delayMs: 60_000 }));
    await db().delivery.update({
      where: { id: id ?? 0 },
      data: { createdAt: new Date(Date.now() - 2 * 86_400_000), nextAttemptAt: new Date() },
    });
    notifier.wake();
    await until("it is given up", async () => (await rows())[0]?.state === "failed", 5000);
    await notifier.add(of({ channel: "gone" }));
    await until("it failed", async () => (await rows())[1]?.state === "failed", 5000);
    answers = [async () => "suppressed"];
    await notifier.add(of({ dedupe: "quiet" }));
    await until("it is suppressed", async () => (await rows())[2]?.state === "suppressed", 5000);
    expect(sent).toEqual([]);
  });

  test("one channel that hangs does not keep another waiting", async () => {
    const notifier = begin();
    let release = () => {};
    answers = [
      () =>
        new Promise((resolve) => {
          release = () => resolve("sent");
        }),
    ];
    await notifier.add(of({}));
    await until("it is being sent", async () => answers.length === 0, 5000);
    await notifier.add(of({ channel: "b" }));
    await until("the other is told", async () => sent.includes("b opened 7"), 5000);
    release();
    await until("both", async () => sent.length === 2, 5000);
  });
});

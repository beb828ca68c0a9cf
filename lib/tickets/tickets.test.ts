// An incident as a ticket, through the real queue of notices: one ticket whatever gets lost, kept, told and closed.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type House, openHouse } from "../auth/house.fixture";
import type { Actor } from "../changes/kind";
import { config } from "../config/load";
import { db } from "../db/client";
import {
  acknowledge,
  closeIncident,
  findIncident,
  incidentDetail,
  incidents,
  openIncident,
} from "../incidents/service";
import { listChannels, notifier, notifyService, testChannel } from "../notify/service";
import { closeServers } from "../systems/test-server";
import { until } from "../systems/test-stack";
import { gitlabStub, type TrackerStub } from "../systems/tickets/trackers.fixture";
import { trackersFor } from "./file";

const ada: Actor = { type: "user", id: "1", name: "Ada @all", role: "operator", sites: null, scopes: null };
let house: House;
let lab: TrackerStub;
let stop: () => Promise<void>;

beforeAll(async () => {
  lab = await gitlabStub();
  house = await openHouse(`
server: { url: "https://sluice.example" }
notify: { delay: 20ms }
tickets:
  - { name: lab, type: gitlab, url: "${lab.url}", project: group/app, token: glpat-1, labels: [incident], close: true }
`);
  stop = await notifyService.start();
});
afterAll(async () => {
  await stop();
  await house.close();
  await closeServers();
});
beforeEach(async () => {
  lab.issues.length = 0;
  lab.next.length = 0;
  await db().delivery.deleteMany();
});
afterEach(() => incidents().settled());

const critical = { title: "Checkout is slow", severity: "critical" as const };
const rows = () => db().delivery.findMany({ orderBy: { id: "asc" } });
const idle = (count: number) =>
  until("all is told", async () => {
    const all = await rows();
    return all.length === count && all.every(({ state }) => state !== "waiting");
  });
const again = async () => {
  await db().delivery.updateMany({ where: { state: "waiting" }, data: { nextAttemptAt: new Date() } });
  notifier().wake();
};
const tried = (times: number) => until("it was tried", async () => (await rows())[0]?.attempts === times);

describe("a ticket", () => {
  test("is made once, kept with its incident, told of who looks after it, closed with it", async () => {
    const { id } = await openIncident(critical, ada);
    await idle(1);
    expect(lab.issues).toMatchObject([
      { title: `Checkout is slow (Sluice incident ${id})`, labels: [`sluice-incident-${id}`, "incident"] },
    ]);
    expect(lab.issues[0]?.body).toContain(`https://sluice.example/incidents/${id}`);
    expect((await findIncident(id)).tickets).toEqual([
      { tracker: "lab", id: "1", key: "#1", url: `${lab.url}/group/app/-/issues/1` },
    ]);
    await acknowledge(id, ada);
    await idle(2);
    await closeIncident(id, ada, null);
    await idle(3);
    const [issue] = lab.issues;
    expect(issue?.open).toBe(false);
    expect(issue?.comments).toHaveLength(2);
    expect(issue?.comments[0]).toMatch(/Ada .*looks after it/);
    // GitLab would tell everybody.
    expect(issue?.comments.join()).not.toContain("@all");
    expect(issue?.comments[1]).toMatch(/It ended\.[\s\S]*# Incident/);
    // Told once on the incident's time line, with its name.
    const { entries } = await incidentDetail(id, ada);
    expect(entries.filter(({ type }) => type === "ticket" || type === "notified")).toMatchObject([
      { type: "ticket", data: { ticket: "#1" } },
    ]);
    await incidents().change(
      id,
      async () => {
        await db().incident.update({ where: { id }, data: { state: "open", closedAt: null } });
      },
      "reopened",
    );
    await idle(4);
    expect(lab.issues).toHaveLength(1);
    expect(issue?.open).toBe(true);
    expect(issue?.comments[2]).toMatch(/broke again/);
  });

  test("whose answer is lost is found again by its label, not made twice", async () => {
    lab.next.push({ status: 200, body: [] }, "lost");
    const { id } = await openIncident(critical, ada);
    await tried(1);
    expect(lab.issues).toHaveLength(1);
    expect((await findIncident(id)).tickets).toEqual([]);
    await again();
    await idle(1);
    expect(lab.issues).toHaveLength(1);
    expect((await findIncident(id)).tickets).toMatchObject([{ key: "#1" }]);
  });

  test("that could not be made yet is not overtaken by the end of its incident", async () => {
    lab.next.push({ status: 429, headers: { "retry-after": "600" } });
    const { id } = await openIncident(critical, ada);
    await tried(1);
    await closeIncident(id, ada, null);
    await until("the end was put off", async () => {
      const [first, second] = await rows();
      return second !== undefined && first !== undefined && second.nextAttemptAt > first.nextAttemptAt;
    });
    expect((await rows())[1]).toMatchObject({ state: "waiting", attempts: 0 });
    await again();
    await until("it is made", async () => lab.issues.length === 1);
    await until("and told", async () => {
      await again();
      return lab.issues[0]?.comments.length === 1;
    });
    await idle(2);
    expect(lab.issues).toMatchObject([{ open: false }]);
  });

  test("that somebody took away there is made anew when it breaks again, and missed by nobody at the end", async () => {
    const { id } = await openIncident(critical, ada);
    await idle(1);
    lab.issues.length = 0;
    await closeIncident(id, ada, null);
    await idle(2);
    expect((await rows())[1]).toMatchObject({ state: "suppressed" });
  });

  test("is made of no warning, where only critical ones are wanted; refused, it says why", async () => {
    await openIncident({ title: "Slow", severity: "warning" }, ada);
    lab.next.push({ status: 401, body: { message: "401 Unauthorized" } });
    await openIncident(critical, ada);
    await idle(1);
    expect(await rows()).toMatchObject([{ state: "failed", lastError: expect.stringMatching(/let us in/) }]);
    expect(lab.issues).toEqual([]);
    const [tracker] = config().tickets;
    if (tracker === undefined) throw new Error("no tracker");
    expect(trackersFor([tracker], { severity: "warning" })).toEqual([]);
    expect(trackersFor([{ ...tracker, severity: "warning" }], { severity: "warning" })).toEqual(["lab"]);
  });

  test("its tracker is among the channels; its test makes no ticket", async () => {
    expect(await listChannels()).toMatchObject([
      { name: "lab", type: "gitlab", tickets: true, to: expect.stringMatching(/\/group\/app$/) },
    ]);
    expect(await testChannel("lab")).toMatchObject({ state: "sent" });
    lab.next.push({ status: 404, body: { message: "404 Project Not Found" } });
    expect(await testChannel("lab")).toMatchObject({
      state: "failed",
      error: expect.stringMatching(/Project Not Found/),
    });
    expect(lab.issues).toEqual([]);
  });
});

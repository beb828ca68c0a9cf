// A silence of Alertmanager as a Change: previewed, read back, and ended by its undo.
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { requireRole } from "../auth/permissions";
import type { ChangeKind } from "../changes/kind";
import { config } from "../config/load";
import { AppError } from "../errors/app-error";
import {
  addSilence,
  expireSilence,
  findSilence,
  type HeldAlert,
  type HeldSilence,
  heldAlerts,
  heldSilences,
} from "../systems/alertmanager/alerts";
import type { JsonApi } from "../systems/json-api";
import {
  type Matcher,
  type SilenceEvidence,
  type SilenceInput,
  type SilencePlan,
  silenceEvidence,
  silenceInput,
  silencePlan,
  type UnsilenceInput,
  type UnsilencePlan,
  unsilenceInput,
  unsilencePlan,
} from "./contract";
import { idOf } from "./join";
import { isBroad, reaches, written } from "./matchers";
import { alerts, gatherAlertsAnew } from "./service";

const maxMs = 30 * 86_400_000;
const shownAlerts = 100;
/** How long Alertmanager may take until its alerts say what it was told. */
const patienceMs = 10_000;
/** What must be typed for a silence that nothing escapes. */
const everything = "everything";

function alertmanager(): JsonApi {
  const [one] = config().systems.alertmanager;
  if (one === undefined)
    throw new AppError("NOT_CONFIGURED", "sluice.yaml names no Alertmanager.", { problem: "alerts.none" });
  return one;
}

function ofName(name: string): JsonApi {
  const one = config().systems.alertmanager.find((each) => each.name === name);
  if (one === undefined)
    throw new AppError("NOT_CONFIGURED", `sluice.yaml names no Alertmanager ${name}.`, {
      problem: "alerts.none",
    });
  return one;
}

function checkEnd(endsAt: string, now = Date.now()): void {
  const ms = Date.parse(endsAt) - now;
  if (ms <= 0)
    throw new AppError("INVALID_INPUT", "The silence would end before it begins.", {
      problem: "alerts.past",
      field: "endsAt",
    });
  if (ms > maxMs)
    throw new AppError("INVALID_INPUT", "A silence may last thirty days.", {
      problem: "alerts.tooLong",
      params: { days: 30 },
      field: "endsAt",
    });
}

const titleOf = (matchers: readonly Matcher[]): string => matchers.map(written).join(", ").slice(0, 200);

/** Stands in the comment, so that the same change never makes two. */
const markOf = (changeId: number): string => `(Sluice, change ${changeId})`;

/** The silence that a change made, before a crash perhaps. */
async function ownSilence(api: JsonApi, plan: SilencePlan, changeId: number): Promise<HeldSilence | null> {
  const all = await heldSilences(api);
  return (
    all.find(
      ({ comment, endsAt, status }) =>
        status.state !== "expired" &&
        comment.endsWith(markOf(changeId)) &&
        Date.parse(endsAt) === Date.parse(plan.endsAt),
    ) ?? null
  );
}

/** Silences what the matchers reach, until a time. */
export const silenceKind: ChangeKind<SilenceInput, SilencePlan, SilenceEvidence> = {
  kind: "alert.silence",
  input: silenceInput,
  plan: silencePlan,
  evidence: silenceEvidence,
  afterCrash: "resume",
  permit: (_, actor) => requireRole(actor, "operator"),

  async makePlan(input, { actor }) {
    const api = alertmanager();
    checkEnd(input.endsAt);
    const broad = isBroad(input.matchers);
    const test = reaches(input.matchers);
    // Fresh: what the page shows may be some seconds old.
    await gatherAlertsAnew();
    const reached = alerts().alerts.filter(({ source, labels }) => source !== "sluice" && test(labels));
    return {
      system: api.name,
      title: titleOf(input.matchers),
      matchers: input.matchers,
      endsAt: new Date(input.endsAt).toISOString(),
      reason: input.reason,
      createdBy: actor.name,
      reached: reached
        .slice(0, shownAlerts)
        .map(({ id, name, component, state }) => ({ id, name, component, state })),
      count: reached.length,
      broad,
      level: broad ? "destructive" : "reversible",
      confirmation: broad ? everything : null,
    };
  },

  describe: (plan) => ({
    title: plan.title,
    site: null,
    level: plan.level,
    ...(plan.confirmation === null ? {} : { confirmation: plan.confirmation }),
    targets: [`alertmanager:${plan.system}`],
  }),

  async apply(plan, { changeId, signal, commit }) {
    const api = ofName(plan.system);
    if ((await ownSilence(api, plan, changeId)) !== null) return;
    // It may have waited.
    checkEnd(plan.endsAt);
    commit();
    await addSilence(
      api,
      {
        matchers: plan.matchers,
        startsAt: new Date().toISOString(),
        endsAt: plan.endsAt,
        createdBy: plan.createdBy,
        comment: `${plan.reason} ${markOf(changeId)}`,
      },
      signal,
    );
  },

  async verify(plan, { changeId, signal }) {
    const api = ofName(plan.system);
    const made = await ownSilence(api, plan, changeId);
    if (made === null)
      throw new AppError("BAD_ANSWER", `${plan.system} does not have the silence that it took.`, {
        problem: "alerts.notThere",
        params: { system: plan.system },
      });
    const test = reaches(plan.matchers);
    const end = Date.now() + patienceMs;
    for (;;) {
      const held = (await heldAlerts(api)).filter(({ labels }) => test(labels));
      const silenced = ({ status }: HeldAlert) => status.silencedBy.includes(made.id);
      if (held.every(silenced) || Date.now() > end) {
        await gatherAlertsAnew();
        const ok = made.status.state === "active" && held.every(silenced);
        return {
          ok,
          outcome: ok ? "silenced" : "otherwise",
          evidence: {
            silence: made.id,
            state: made.status.state,
            endsAt: made.endsAt,
            alerts: held.slice(0, shownAlerts).map((one) => ({
              id: idOf(one.labels),
              name: one.labels.alertname ?? "",
              silenced: silenced(one),
            })),
          },
        };
      }
      await sleep(500, undefined, { signal });
    }
  },

  undo: ({ evidence }) =>
    evidence === null ? null : { kind: "alert.unsilence", input: { id: evidence.silence } },
};

const unsilenceEvidence = z.object({ silence: z.string(), state: z.string(), endedAt: z.iso.datetime() });

/** Ends a silence now. */
export const unsilenceKind: ChangeKind<UnsilenceInput, UnsilencePlan, z.infer<typeof unsilenceEvidence>> = {
  kind: "alert.unsilence",
  input: unsilenceInput,
  plan: unsilencePlan,
  evidence: unsilenceEvidence,
  afterCrash: "resume",
  permit: (_, actor) => requireRole(actor, "operator"),

  async makePlan({ id }, { signal }) {
    const api = alertmanager();
    const { status, matchers, endsAt, comment, createdBy } = await findSilence(api, id, signal);
    if (status.state === "expired")
      throw new AppError("CONFLICT", "That silence is over already.", { problem: "alerts.over" });
    return { system: api.name, title: titleOf(matchers), silence: id, matchers, endsAt, comment, createdBy };
  },

  describe: (plan) => ({
    title: plan.title,
    site: null,
    level: "reversible",
    targets: [`alertmanager:${plan.system}`],
  }),

  async apply(plan, { signal, commit }) {
    const api = ofName(plan.system);
    // Ended by us before a crash, or by another: then it is as wanted.
    if ((await findSilence(api, plan.silence, signal)).status.state === "expired") return;
    commit();
    await expireSilence(api, plan.silence, signal);
  },

  async verify(plan, { signal }) {
    const { status, endsAt } = await findSilence(ofName(plan.system), plan.silence, signal);
    await gatherAlertsAnew();
    const ok = status.state === "expired";
    return {
      ok,
      outcome: ok ? "expired" : "otherwise",
      evidence: { silence: plan.silence, state: status.state, endedAt: endsAt },
    };
  },

  // Again until the same time, with the same words but the mark of the change that made it.
  undo: ({ plan: { matchers, endsAt, comment } }) => ({
    kind: "alert.silence",
    input: { matchers, endsAt, reason: comment.replace(/ ?\(Sluice, change \d+\)$/, "").padEnd(3, ".") },
  }),
};

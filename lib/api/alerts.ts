// Alerts and their silences, over RPC and REST.
import { type SilencePlan, silencePlan } from "../alerts/contract";
import { alerts as snapshot, suspectsOfAlert } from "../alerts/service";
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import { os } from "./base";

const originOf = (actor: Actor) => (actor.type === "apikey" ? "api" : "page");
/** A preview needs no reason yet; the silence itself does. */
const unsaid = "...";

export const alerts = {
  list: os.alerts.list.handler(() => snapshot()),

  suspects: os.alerts.suspects.handler(({ input, context }) => suspectsOfAlert(input.id, context.actor)),

  planSilence: os.alerts.planSilence.handler(async ({ input, context, signal }): Promise<SilencePlan> => {
    const asked = { ...input, reason: input.reason.length < 3 ? unsaid : input.reason };
    const { plan } = await engine().plan("alert.silence", asked, context.actor, signal);
    return silencePlan.parse(plan);
  }),

  silence: os.alerts.silence.handler(async ({ input, context }) => {
    const { confirmation, ...asked } = input;
    const id = await engine().start({
      kind: "alert.silence",
      input: asked,
      actor: context.actor,
      origin: originOf(context.actor),
      confirmation: confirmation ?? null,
      reason: asked.reason,
      requestId: context.requestId,
    });
    return engine().wait(id, 0);
  }),

  expire: os.alerts.expire.handler(async ({ input, context }) => {
    const id = await engine().start({
      kind: "alert.unsilence",
      input,
      actor: context.actor,
      origin: originOf(context.actor),
      requestId: context.requestId,
    });
    return engine().wait(id, 0);
  }),
};

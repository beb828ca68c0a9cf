// Zones at Cloudflare and the acts on them, over RPC and REST.
import { engine } from "../changes/engine";
import type { Actor } from "../changes/kind";
import {
  type DevelopmentPlan,
  developmentPlan,
  type SecurityPlan,
  securityPlan,
} from "../cloudflare/contract";
import { zoneState } from "../cloudflare/service";
import { os } from "./base";

async function begin(kind: string, input: unknown, context: { actor: Actor; requestId: string }) {
  const { actor, requestId } = context;
  const origin = actor.type === "apikey" ? "api" : "page";
  return engine().wait(await engine().start({ kind, input, actor, origin, requestId }), 0);
}

export const cloudflare = {
  get: os.cloudflare.get.handler(({ input }) => zoneState(input.name)),

  planSecurity: os.cloudflare.planSecurity.handler(
    async ({ input, context, signal }): Promise<SecurityPlan> =>
      securityPlan.parse((await engine().plan("cloudflare.security", input, context.actor, signal)).plan),
  ),
  security: os.cloudflare.security.handler(({ input, context }) =>
    begin("cloudflare.security", input, context),
  ),

  planDevelopment: os.cloudflare.planDevelopment.handler(
    async ({ input, context, signal }): Promise<DevelopmentPlan> =>
      developmentPlan.parse(
        (await engine().plan("cloudflare.development", input, context.actor, signal)).plan,
      ),
  ),
  development: os.cloudflare.development.handler(({ input, context }) =>
    begin("cloudflare.development", input, context),
  ),
};

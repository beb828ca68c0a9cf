// Health, over RPC and REST.
import { river } from "../health/river";
import { componentHistory, health as keeper, recentStates } from "../health/service";
import { signalsOf } from "../health/signals";
import { os } from "./base";

export const health = {
  river: os.health.river.handler(() => river()),
  events: os.health.events.handler(() => recentStates()),
  list: os.health.list.handler(() => ({ at: new Date().toISOString(), components: keeper().all() })),
  get: os.health.get.handler(({ input }) => componentHistory(`${input.kind}/${input.name}`)),
  signals: os.health.signals.handler(({ input, context }) => signalsOf(input, context.actor)),
};

// Which router takes a request, what each Traefik does now, and the files it goes by, over RPC and REST.
import { engine } from "../changes/engine";
import { type ApplyPlan, applyPlan } from "../routing/files/contract";
import { revisionsOf } from "../routing/files/revisions";
import { applyKindName, traefikCalled } from "../routing/files/servers";
import { acted, check, directories, filesNow, revision, save, words } from "../routing/files/service";
import { traefiks } from "../routing/overview/service";
import { routersOf } from "../routing/service";
import { os } from "./base";
import { trace } from "./trace";

export const routing = {
  match: os.routing.match.handler(({ input }) => routersOf(input)),
  overview: os.routing.overview.handler(() => traefiks()),
  trace,

  directories: os.routing.directories.handler(() => directories()),
  files: os.routing.files.handler(({ input }) => filesNow(input.traefik)),
  words: os.routing.words.handler(({ input }) => words(input.traefik)),
  check: os.routing.check.handler(({ input, signal }) => check(input, signal)),
  act: os.routing.act.handler(({ input }) => acted(input)),
  revisions: os.routing.revisions.handler(({ input }) => revisionsOf(traefikCalled(input.traefik).name)),
  revision: os.routing.revision.handler(({ input }) => revision(input.traefik, input.number)),
  save: os.routing.save.handler(({ input, context }) => save(input, context.actor)),

  planApply: os.routing.planApply.handler(async ({ input, context, signal }): Promise<ApplyPlan> => {
    // Who loses a guard stands in the plan; whether that is agreed to is asked when it is applied.
    const told = { ...input, acceptAll: true };
    return applyPlan.parse((await engine().plan(applyKindName, told, context.actor, signal)).plan);
  }),
  apply: os.routing.apply.handler(async ({ input: { reason, confirmation, ...input }, context }) => {
    const { actor, requestId } = context;
    const id = await engine().start({
      kind: applyKindName,
      input,
      actor,
      origin: actor.type === "apikey" ? "api" : "page",
      requestId,
      ...(reason === undefined ? {} : { reason }),
      ...(confirmation === undefined ? {} : { confirmation }),
    });
    return engine().wait(id, 0);
  }),
};

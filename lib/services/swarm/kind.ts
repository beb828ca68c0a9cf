// Scale, deploy, restart a Swarm's service, and drain a node, as Changes: watched until the Swarm has done it, or gone back.
import { setTimeout as sleep } from "node:timers/promises";
import type * as z from "zod";
import { requireRole } from "../../auth/permissions";
import type { ChangeKind, RunContext } from "../../changes/kind";
import { AppError, toAppError } from "../../errors/app-error";
import { maskedText } from "../../errors/mask";
import { inspectImage } from "../../systems/docker/images";
import {
  type Availability,
  forceOf,
  imageOf,
  inspectService,
  listNodes,
  listServices,
  listTasks,
  replicasOf,
  type ServiceSpec,
  type SwarmNode,
  type SwarmService,
  type SwarmTask,
  setAvailability,
  updateService,
  watchUpdate,
  withEarlier,
  withForce,
  withImage,
  withReplicas,
} from "../../systems/docker/swarm";
import type { DockerEngine } from "../../systems/docker/target";
import { familiarName, parseReference } from "../../systems/oci/reference";
import { patiently } from "../acts/patience";
import { imageOf as shownImage } from "../deploy/contract";
import { askedImage, givenBy, imageChangesOf, wantedImage } from "../deploy/image";
import { pathsThatDiffer } from "../deploy/recreate";
import { loginFor } from "../registries";
import { services } from "../service";
import {
  type SwarmEvidence,
  type SwarmInput,
  type SwarmPlan,
  swarmActs,
  swarmEvidence,
  swarmInput,
  swarmPlan,
} from "./contract";
import { ownTask, refuseOwnNode, refuseOwnService } from "./own";
import { keepSpec, keptSpec } from "./specs";

/** A rolling update that is not over by then is told as not over. */
const limitMs = 15 * 60_000;
const maxErrors = 10;

async function nodeOf(engine: DockerEngine, name: string): Promise<SwarmNode> {
  const node = (await listNodes(engine)).find((one) => one.ID === name || one.Description.Hostname === name);
  if (node !== undefined) return node;
  throw new AppError("NOT_FOUND", `The Swarm of ${engine.name} has no node ${name}.`, {
    problem: "swarm.noNode",
    params: { host: engine.name, node: name },
    field: "name",
  });
}

/** A manager that is restarted says for a moment that it is none, or that nobody leads: what it was asked, it is asked again. */
const managed = <T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> =>
  patiently(signal, async () => {
    try {
      return await act();
    } catch (error) {
      const { detail, message } = toAppError(error);
      if (detail.problem !== "docker.notManager" && !/does not have a leader/i.test(message)) throw error;
      throw new AppError("UNREACHABLE", message, { ...detail, cause: error });
    }
  });

const outOfSequence = (service: string) =>
  new AppError("CONFLICT", `${service} was changed by somebody else meanwhile: look at it again.`, {
    problem: "swarm.outOfSequence",
    params: { service },
  });

function refuseOther(input: SwarmInput, index: number): void {
  if (input.expected !== undefined && input.expected !== index) throw outOfSequence(input.name);
}

async function planNode(
  input: Extract<SwarmInput, { act: "availability" }>,
  engine: DockerEngine,
): Promise<SwarmPlan> {
  const node = await nodeOf(engine, input.name);
  refuseOther(input, node.Version.Index);
  const tasks = await listTasks(engine);
  const name = node.Description.Hostname;
  if (input.availability === "drain")
    refuseOwnNode(engine, { ID: node.ID, name }, await listServices(engine), tasks);
  return swarmPlan.parse({
    host: input.host,
    act: input.act,
    id: node.ID,
    name,
    version: node.Version.Index,
    from: node.Spec.Availability,
    to: input.availability,
    tasks: atWork(tasks, node.ID).length,
    level: input.availability === "drain" ? "disruptive" : "reversible",
  });
}

/** Tasks of a node that run, or are about to. */
const atWork = (tasks: readonly SwarmTask[], node: string): SwarmTask[] =>
  tasks.filter(({ NodeID, Status }) => NodeID === node && /^(starting|running)$/.test(Status.State));

async function plan(input: SwarmInput, { signal }: { readonly signal: AbortSignal }): Promise<SwarmPlan> {
  const { engine } = services().host(input.host);
  if (input.act === "availability") return planNode(input, engine);
  const service = await inspectService(engine, input.name);
  refuseOther(input, service.Version.Index);
  refuseOwnService(engine, input.act, service, ownTask(await listTasks(engine)));
  const tasks = await listTasks(engine, service.ID);
  const force = forceOf(service.Spec);
  const common = {
    host: input.host,
    act: input.act,
    id: service.ID,
    name: service.Spec.Name,
    version: service.Version.Index,
    tasks: tasks.filter(({ Status }) => Status.State === "running").length,
    force,
  };
  if (input.act === "scale") {
    const from = replicasOf(withReplicas(service.Spec, replicasOf(service.Spec) ?? 0)) ?? 0;
    const level = input.replicas < from ? "disruptive" : "reversible";
    return swarmPlan.parse({ ...common, from: String(from), to: String(input.replicas), level });
  }
  const from = imageOf(service.Spec);
  if (input.act === "restart")
    return swarmPlan.parse({ ...common, force: force + 1, from, to: from, level: "disruptive" });
  const { spec, shown } = await deployOf(input, service, signal);
  // Counted up in any case: an update that changes nothing makes no task anew, and ours is known by its number afterwards.
  return swarmPlan.parse({
    ...common,
    ...shown,
    force: force + 1,
    from,
    to: imageOf(spec),
    level: "disruptive",
  });
}

/** The description that a deploy leads to, and what is shown of it. */
async function deployOf(
  input: Extract<SwarmInput, { act: "deploy" }>,
  { ID, Spec }: SwarmService,
  signal: AbortSignal,
): Promise<{ spec: ServiceSpec; shown: Partial<SwarmPlan> }> {
  const { engine } = services().host(input.host);
  if (input.kept !== undefined) {
    const spec = withEarlier(Spec, await keptSpec(input.kept, input.host, ID));
    const differs = pathsThatDiffer(withForce(Spec, 0), withForce(spec, 0));
    return { spec, shown: { kept: input.kept, differs } };
  }
  const from = imageOf(Spec);
  const image = wantedImage(input.image, from);
  const old = await inspectImage(engine, from);
  const { to, given } = await askedImage(input.host, image, old, signal);
  if (input.expectedImage !== undefined && input.expectedImage !== shownImage(to))
    throw new AppError("CONFLICT", `${image} names another image now than the plan that was shown.`, {
      problem: "services.tagMoved",
      params: { image },
      field: "image",
    });
  // Each node would look the tag up for itself, and at another time: the docker command pins it too.
  const { tag, ...reference } = parseReference(image);
  const pinned = `${familiarName(reference)}${tag === null ? "" : `:${tag}`}@${to.digest}`;
  return {
    spec: withImage(Spec, to.local || to.digest === null ? image : pinned),
    // A manager need not have the image that its service runs: then nothing is known of what differs.
    shown: { target: to, ...(old === null ? {} : imageChangesOf(givenBy(old), given)) },
  };
}

/** The next description, from how the service is when it is changed. */
async function nextSpec(planned: SwarmPlan, now: SwarmService): Promise<ServiceSpec> {
  if (planned.act === "scale") return withReplicas(now.Spec, Number(planned.to));
  const next =
    planned.act === "restart"
      ? now.Spec
      : planned.kept === null
        ? withImage(now.Spec, planned.to)
        : withEarlier(now.Spec, await keptSpec(planned.kept, planned.host, planned.id));
  return withForce(next, planned.force);
}

async function apply(planned: SwarmPlan, context: RunContext): Promise<void> {
  const { engine } = services().host(planned.host);
  const { signal } = context;
  if (planned.act === "availability") {
    await managed(signal, async () => {
      const node = await nodeOf(engine, planned.id);
      if (node.Spec.Availability === planned.to) return;
      if (node.Spec.Availability !== planned.from) throw outOfSequence(planned.name);
      await setAvailability(engine, node, planned.to as Availability);
    });
    return;
  }
  // Asked for before a crash: only its end is to be seen.
  if (context.checkpoint !== null) return;
  const login = planned.act === "deploy" ? loginFor(parseReference(planned.to)) : null;
  await managed(signal, async () => {
    const now = await inspectService(engine, planned.id);
    if (now.Version.Index !== planned.version) {
      // The answer to our own question was lost, or somebody else was there.
      if (isAsked(planned, now)) return;
      throw outOfSequence(planned.name);
    }
    if (planned.act === "deploy") await keepSpec(context.changeId, planned.host, planned.id, now.Spec);
    await updateService(engine, planned.id, planned.version, await nextSpec(planned, now), login);
  });
  await context.saveCheckpoint({ asked: Date.now() });
  context.log("info", "swarm.asked", { service: planned.name, to: planned.to });
}

const isAsked = (planned: SwarmPlan, { Spec }: SwarmService): boolean =>
  planned.act === "scale"
    ? String(replicasOf(Spec)) === planned.to
    : imageOf(Spec) === planned.to && forceOf(Spec) === planned.force;

/** Whether what runs was made after this was asked for, and of that image. */
const isNew = (planned: SwarmPlan, tasks: readonly SwarmTask[]): boolean =>
  planned.act === "scale" ||
  tasks
    .filter(({ DesiredState, Status }) => DesiredState === "running" && Status.State === "running")
    .every(
      ({ Spec }) =>
        Spec.ContainerSpec?.Image === planned.to && forceOf({ TaskTemplate: Spec }) === planned.force,
    );

/** A node as it was asked for; a drained one once nothing runs there any more. */
async function verifyNode(
  planned: SwarmPlan,
  engine: DockerEngine,
  { signal, progress }: RunContext,
): Promise<SwarmEvidence> {
  const begun = Date.now();
  for (;;) {
    const node = await managed(signal, () => nodeOf(engine, planned.id));
    const left = atWork(await managed(signal, () => listTasks(engine)), planned.id).length;
    const asked = node.Spec.Availability === planned.to;
    const draining = asked && planned.to === "drain" && left > 0;
    if (!draining || Date.now() - begun > limitMs)
      return {
        outcome: asked && !draining ? "asWanted" : "otherwise",
        now: node.Spec.Availability,
        message: maskedText(node.Status.Message ?? ""),
        running: left,
        desired: planned.to === "drain" ? 0 : left,
        kept: null,
        errors: [],
      };
    progress("drain", Math.max(0, planned.tasks - left), Math.max(planned.tasks, left));
    await sleep(500, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}

async function verify(
  planned: SwarmPlan,
  context: RunContext,
): Promise<{ ok: boolean; outcome: string; evidence: SwarmEvidence }> {
  const { engine } = services().host(planned.host);
  const { signal } = context;
  if (planned.act === "availability") {
    const evidence = await verifyNode(planned, engine, context);
    return { ok: evidence.outcome === "asWanted", outcome: evidence.outcome, evidence };
  }
  const look = () =>
    managed(signal, async () => {
      const found = (await listServices(engine)).find(({ ID }) => ID === planned.id);
      if (found !== undefined) return found;
      throw new AppError("CONFLICT", `${planned.name} is gone.`, {
        problem: "services.changed",
        params: { container: planned.name, difference: "it is gone" },
      });
    });
  const seen = await watchUpdate(look, signal, limitMs, (running, desired) =>
    context.progress("swarm", running, Math.max(1, desired)),
  );
  const now = await look();
  const tasks = await managed(signal, () => listTasks(engine, planned.id));
  const good =
    seen.outcome === "done" &&
    seen.running === seen.desired &&
    isAsked(planned, now) &&
    isNew(planned, tasks);
  const outcome =
    seen.outcome === "rolledBack" || seen.outcome === "paused"
      ? seen.outcome
      : good
        ? planned.act === "deploy"
          ? "deployed"
          : "asWanted"
        : "otherwise";
  const nodes = new Map(
    (await managed(signal, () => listNodes(engine))).map((one) => [one.ID, one.Description.Hostname]),
  );
  const evidence: SwarmEvidence = {
    outcome,
    now: planned.act === "scale" ? String(replicasOf(now.Spec)) : imageOf(now.Spec),
    message: maskedText(seen.message),
    running: seen.running,
    desired: seen.desired,
    kept: planned.act === "deploy" ? context.changeId : null,
    errors: tasks
      .filter(({ Status }) => Status.Err)
      .sort((a, b) => b.UpdatedAt.localeCompare(a.UpdatedAt))
      .slice(0, outcome === "asWanted" || outcome === "deployed" ? 0 : maxErrors)
      .map(({ ID, NodeID, Status }) => ({
        task: ID,
        node: nodes.get(NodeID ?? "") ?? "",
        error: maskedText(Status.Err ?? ""),
        exitCode: Status.ContainerStatus?.ExitCode ?? null,
      })),
  };
  return { ok: outcome === "asWanted" || outcome === "deployed", outcome, evidence };
}

const kindOf = (act: (typeof swarmActs)[number]): ChangeKind<SwarmInput, SwarmPlan, SwarmEvidence> => ({
  kind: `swarm.${act}`,
  input: swarmInput.refine((input) => input.act === act) as z.ZodType<SwarmInput>,
  plan: swarmPlan,
  evidence: swarmEvidence,
  afterCrash: "resume",
  permit: (_input, actor) => requireRole(actor, act === "deploy" ? "admin" : "operator"),
  makePlan: plan,
  describe: (planned) => ({
    title:
      planned.from === planned.to
        ? planned.name
        : `${planned.name} ${planned.from} → ${planned.to}`.slice(0, 300),
    site: null,
    level: planned.level,
    targets: [`swarm:${planned.host}/${planned.name}`],
  }),
  apply,
  verify,
  undo({ plan: planned, evidence }) {
    const common = { host: planned.host, name: planned.act === "availability" ? planned.id : planned.name };
    switch (planned.act) {
      case "scale":
        return { kind: "swarm.scale", input: { ...common, act: "scale", replicas: Number(planned.from) } };
      case "deploy":
        // What the Swarm itself took back is as it was.
        if (evidence?.outcome === "rolledBack") return null;
        return {
          kind: "swarm.deploy",
          input: {
            ...common,
            act: "deploy",
            image: planned.from,
            ...(evidence?.kept ? { kept: evidence.kept } : {}),
          },
        };
      case "availability":
        return {
          kind: "swarm.availability",
          input: { ...common, act: "availability", availability: planned.from },
        };
      case "restart":
        return null;
    }
  },
});

export const swarmKinds = swarmActs.map(kindOf);

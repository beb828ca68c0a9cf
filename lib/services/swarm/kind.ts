// Scale, deploy, restart a Swarm's service, and drain a node, as Changes: watched until the Swarm has done it, or gone back.
import type * as z from "zod";
import { requireRole } from "../../auth/permissions";
import type { ChangeKind, RunContext } from "../../changes/kind";
import { AppError } from "../../errors/app-error";
import {
  type Availability,
  imageOf,
  inspectService,
  listNodes,
  listServices,
  listTasks,
  replicasOf,
  type SwarmNode,
  type SwarmService,
  setAvailability,
  updateService,
  watchUpdate,
  withForce,
  withImage,
  withReplicas,
} from "../../systems/docker/swarm";
import type { DockerEngine } from "../../systems/docker/target";
import { parseReference } from "../../systems/oci/reference";
import { patiently } from "../acts/patience";
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

function refuseOther(input: SwarmInput, index: number): void {
  if (input.expected === undefined || input.expected === index) return;
  throw new AppError("CONFLICT", `${input.name} was changed by somebody else meanwhile: look at it again.`, {
    problem: "swarm.outOfSequence",
    params: { service: input.name },
  });
}

async function plan(input: SwarmInput): Promise<SwarmPlan> {
  const { engine } = services().host(input.host);
  if (input.act === "availability") {
    const node = await nodeOf(engine, input.name);
    refuseOther(input, node.Version.Index);
    const tasks = (await listTasks(engine)).filter(
      ({ NodeID, Status }) => NodeID === node.ID && Status.State === "running",
    );
    return {
      host: input.host,
      act: input.act,
      id: node.ID,
      name: node.Description.Hostname,
      version: node.Version.Index,
      from: node.Spec.Availability,
      to: input.availability,
      tasks: tasks.length,
      level: input.availability === "drain" ? "disruptive" : "reversible",
    };
  }
  const service = await inspectService(engine, input.name);
  refuseOther(input, service.Version.Index);
  const common = {
    host: input.host,
    act: input.act,
    id: service.ID,
    name: service.Spec.Name,
    version: service.Version.Index,
    tasks: (await listTasks(engine, service.ID)).filter(({ Status }) => Status.State === "running").length,
  };
  if (input.act === "scale") {
    const from = replicasOf(withReplicas(service.Spec, replicasOf(service.Spec) ?? 0)) ?? 0;
    const down = input.replicas < from;
    return {
      ...common,
      from: String(from),
      to: String(input.replicas),
      level: down ? "disruptive" : "reversible",
    };
  }
  const from = imageOf(service.Spec);
  if (input.act === "deploy") parseReference(input.image);
  return { ...common, from, to: input.act === "deploy" ? input.image : from, level: "disruptive" };
}

/** The next description, from how the service is when it is changed. */
function nextSpec(planned: SwarmPlan, now: SwarmService) {
  if (planned.act === "scale") return withReplicas(now.Spec, Number(planned.to));
  if (planned.act === "deploy") return withImage(now.Spec, planned.to);
  return withForce(now.Spec);
}

async function apply(planned: SwarmPlan, context: RunContext): Promise<void> {
  const { engine } = services().host(planned.host);
  const { signal } = context;
  if (planned.act === "availability") {
    await patiently(signal, async () => {
      const node = await nodeOf(engine, planned.id);
      if (node.Spec.Availability !== planned.to)
        await setAvailability(engine, node, planned.to as Availability);
    });
    return;
  }
  const begun = context.checkpoint;
  // Asked for before a crash: only its end is to be seen.
  if (begun === null) {
    const login = planned.act === "deploy" ? loginFor(parseReference(planned.to)) : null;
    await patiently(signal, async () => {
      const now = await inspectService(engine, planned.id);
      if (now.Version.Index !== planned.version) {
        // The answer to our own question was lost, or somebody else was there.
        if (planned.act !== "restart" && isAsked(planned, now)) return;
        throw new AppError(
          "CONFLICT",
          `${planned.name} was changed by somebody else meanwhile: look at it again.`,
          {
            problem: "swarm.outOfSequence",
            params: { service: planned.name },
          },
        );
      }
      await updateService(engine, planned.id, planned.version, nextSpec(planned, now), login);
    });
    await context.saveCheckpoint({ asked: Date.now() });
    context.log("info", "swarm.asked", { service: planned.name, to: planned.to });
  }
}

const isAsked = (planned: SwarmPlan, { Spec }: SwarmService): boolean =>
  planned.act === "scale" ? String(replicasOf(Spec)) === planned.to : imageOf(Spec) === planned.to;

async function verify(
  planned: SwarmPlan,
  context: RunContext,
): Promise<{ ok: boolean; outcome: string; evidence: SwarmEvidence }> {
  const { engine } = services().host(planned.host);
  const { signal } = context;
  if (planned.act === "availability") {
    const node = await patiently(signal, () => nodeOf(engine, planned.id));
    const ok = node.Spec.Availability === planned.to;
    const evidence: SwarmEvidence = {
      outcome: ok ? "asWanted" : "otherwise",
      now: node.Spec.Availability,
      message: node.Status.Message ?? "",
      running: 0,
      desired: 0,
      errors: [],
    };
    return { ok, outcome: evidence.outcome, evidence };
  }
  const look = () =>
    patiently(signal, async () => {
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
  const good = seen.outcome === "done" && seen.running === seen.desired && isAsked(planned, now);
  const outcome =
    seen.outcome === "rolledBack" || seen.outcome === "paused"
      ? seen.outcome
      : good
        ? planned.act === "deploy"
          ? "deployed"
          : "asWanted"
        : "otherwise";
  const tasks = await patiently(signal, () => listTasks(engine, planned.id));
  const nodes = new Map(
    (await patiently(signal, () => listNodes(engine))).map((one) => [one.ID, one.Description.Hostname]),
  );
  const evidence: SwarmEvidence = {
    outcome,
    now: planned.act === "scale" ? String(replicasOf(now.Spec)) : imageOf(now.Spec),
    message: seen.message,
    running: seen.running,
    desired: seen.desired,
    errors: tasks
      .filter(({ Status }) => Status.Err)
      .sort((a, b) => b.UpdatedAt.localeCompare(a.UpdatedAt))
      .slice(0, outcome === "asWanted" || outcome === "deployed" ? 0 : maxErrors)
      .map(({ ID, NodeID, Status }) => ({
        task: ID,
        node: nodes.get(NodeID ?? "") ?? "",
        error: Status.Err ?? "",
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
  undo({ plan: planned }) {
    const common = { host: planned.host, name: planned.act === "availability" ? planned.id : planned.name };
    switch (planned.act) {
      case "scale":
        return { kind: "swarm.scale", input: { ...common, act: "scale", replicas: Number(planned.from) } };
      case "deploy":
        return { kind: "swarm.deploy", input: { ...common, act: "deploy", image: planned.from } };
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

// Whether a Traefik's files are those that were put in force, and whether it takes them: looked at with its health, kept for the page.
import { tellProblem, toAppError } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import { singleton } from "../../runtime/singleton";
import { hasMiddleware } from "../../systems/traefik/shown";
import { maintenancesIn } from "../edit/maintenance-ends";
import type { TraefikFiles } from "./contract";
import { type Held, rejectedIn } from "./directory";
import { heldBy, isChanging, markerOf, shownName } from "./holder";
import { hashOf } from "./marker";
import { inForce, newestOf, revisionWith } from "./revisions";
import { byOf, type TraefikServerConfig } from "./servers";

const patienceMs = 1500;
/** Traefik needs a moment for what was just written. */
const unshownMs = 30_000;

type Since = { readonly what: string; readonly since: number };
type Watch = {
  readonly drift: Map<string, Since>;
  readonly unshown: Map<string, Since>;
  /** What is wrong with files that were read last: a long look at the same ones is spared. */
  readonly rejected: Map<string, { readonly hash: string; readonly problems: TraefikFiles["rejected"] }>;
  readonly seen: Map<string, TraefikFiles>;
  readonly looking: Map<string, Promise<TraefikFiles>>;
};
const watch = () =>
  singleton<Watch>("routing.files.watch", () => ({
    drift: new Map(),
    unshown: new Map(),
    rejected: new Map(),
    seen: new Map(),
    looking: new Map(),
  }));

/** Since when it is `what`; null forgets it. */
function sinceOf(all: Map<string, Since>, name: string, what: string | null): number | null {
  if (what === null) {
    all.delete(name);
    return null;
  }
  const known = all.get(name);
  const since = known?.what === what ? known.since : Date.now();
  all.set(name, { what, since });
  return since;
}

function rejectedOf(name: string, held: Held): TraefikFiles["rejected"] {
  const hash = hashOf([...held.files, ...held.apart]);
  const known = watch().rejected.get(name);
  if (known?.hash === hash) return known.problems;
  const problems = rejectedIn(held).map((one) => ({ ...one, params: { ...one.params }, known: true }));
  watch().rejected.set(name, { hash, problems });
  return problems;
}

const nothing = (server: TraefikServerConfig, state: TraefikFiles["state"]): TraefikFiles => ({
  traefik: server.name,
  by: byOf(server),
  state,
  problem: null,
  revision: null,
  expected: null,
  driftSince: null,
  rejected: [],
  served: null,
  newest: null,
  maintenances: [],
  at: null,
});

/** Looks at a Traefik's files now. Never throws: what cannot be read is said so. */
async function lookAtFiles(server: TraefikServerConfig): Promise<TraefikFiles> {
  const seen = byOf(server) === "none" ? nothing(server, "none") : await lookAt(server);
  watch().seen.set(server.name, seen);
  return seen;
}

const told = (error: unknown): ToldProblem =>
  tellProblem(error, { problem: "health.failed", params: { says: toAppError(error).message } });

async function lookAt(server: TraefikServerConfig): Promise<TraefikFiles> {
  const { name } = server;
  const at = new Date().toISOString();
  try {
    const [changing, force, newest, held] = await Promise.all([
      isChanging(name),
      inForce(name),
      newestOf(name),
      heldBy(server),
    ]);
    const hash = hashOf(held.files);
    const drifts = force !== null && force.hash !== hash && !changing;
    const drift = sinceOf(watch().drift, name, drifts ? hash : null);
    const marker = markerOf(held);
    let served: boolean | null = null;
    let problem: ToldProblem | null = null;
    try {
      served = marker === null ? null : await hasMiddleware(server, shownName(server, marker));
    } catch (error) {
      problem = told(error);
    }
    sinceOf(watch().unshown, name, served === false && !changing ? marker : null);
    return {
      ...nothing(server, "up"),
      problem,
      revision: await revisionWith(name, hash),
      expected: force?.revision ?? null,
      driftSince: drift === null ? null : new Date(drift).toISOString(),
      rejected: rejectedOf(name, held),
      served,
      newest,
      maintenances: held.files.flatMap(({ text }) =>
        maintenancesIn(text).map(({ name: called, until }) => ({
          name: called,
          until: until?.toISOString() ?? null,
        })),
      ),
      at,
    };
  } catch (error) {
    return { ...nothing(server, "down"), problem: told(error), at };
  }
}

const filesSeen = (server: TraefikServerConfig): TraefikFiles =>
  watch().seen.get(server.name) ?? nothing(server, byOf(server) === "none" ? "none" : "checking");

/**
 * A Traefik's files as they are, or as they were seen last where that is younger than `freshMs`, or where it takes longer than a moment.
 * Who asks at the same time makes one look. Never throws.
 */
export async function filesSoon(server: TraefikServerConfig, freshMs: number): Promise<TraefikFiles> {
  const seen = filesSeen(server);
  if (seen.at !== null && seen.by === byOf(server) && Date.now() - Date.parse(seen.at) < freshMs) return seen;
  const { looking } = watch();
  const look = looking.get(server.name) ?? lookAtFiles(server).finally(() => looking.delete(server.name));
  looking.set(server.name, look);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<TraefikFiles>((resolve) => {
    timer = setTimeout(() => resolve(filesSeen(server)), patienceMs);
  });
  return Promise.race([look, late]).finally(() => clearTimeout(timer));
}

/** What is wrong with a Traefik's files, though Traefik itself shows it nowhere: for its health, and so for its incident. Never throws. */
export async function filesProblems(server: TraefikServerConfig): Promise<ToldProblem[]> {
  const { state, problem, rejected, driftSince, expected } = await filesSoon(server, 0);
  if (state === "down" && problem !== null) return [problem];
  const { name: traefik } = server;
  const problems: ToldProblem[] = [];
  const [first] = rejected;
  if (first !== undefined)
    problems.push({
      problem: "routing.rejected",
      params: { traefik, file: first.file, line: first.line },
    });
  if (driftSince !== null)
    problems.push({ problem: "routing.drift", params: { traefik, number: expected ?? 0 } });
  const unshown = watch().unshown.get(traefik);
  if (unshown !== undefined && Date.now() - unshown.since > unshownMs)
    problems.push({ problem: "routing.unshown", params: { traefik } });
  return problems;
}

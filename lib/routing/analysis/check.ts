// What a draft of a Traefik's files would do: what is wrong with it, what it changes, whom it exposes, who takes recent requests.
import type { Config } from "../../config/schema";
import { tellProblem, toAppError } from "../../errors/app-error";
import { overviewOf, type TraefikOverview } from "../../systems/traefik/overview";
import type { ConfigFile, FilesChecked } from "../files/contract";
import { maskedValue } from "../files/secrets";
import { byOf } from "../files/servers";
import type { Problem } from "../validate/problem";
import { judgeDirectory } from "../validate/validate";
import { differencesOf } from "./differences";
import { guardedOf } from "./guard";
import { impactOf } from "./impact";
import { modelOf } from "./model";
import { inForce, knownOf, type Surroundings, withFiles } from "./situation";

type Server = Config["systems"]["traefik"][number];

/** What is beside a Traefik's files now; one that does not answer says why. */
export async function around(
  server: Server,
): Promise<{ readonly surroundings: Surroundings; readonly problem: FilesChecked["problem"] }> {
  const provider = byOf(server) === "http" ? "http" : "file";
  try {
    return { surroundings: { provider, overview: await overviewOf(server) }, problem: null };
  } catch (error) {
    const says = toAppError(error).message.slice(0, 300);
    const problem = tellProblem(error, { problem: "health.failed", params: { says } });
    return { surroundings: { provider, overview: null }, problem };
  }
}

const sameProblem = ({ code, params }: Problem): string =>
  JSON.stringify([code, Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1))]);

/** API names of a router's parts ("web-shop@file") as its provider has them. */
function sourcesIn(overview: TraefikOverview | null): (name: string) => string {
  const sources = new Map(
    (overview?.routers ?? []).flatMap(({ protocol, name, source }) =>
      protocol === "http" ? [[name, source] as const] : [],
    ),
  );
  return (name) => sources.get(name) ?? name;
}

/**
 * `files`: the draft; `current`: what is there now, with everything else that Traefik reads there, in both. Of a draft that Traefik takes
 * nothing of, only its problems are told: what is in force stays. A Traefik that does not answer is told in `problem`; then nothing is
 * known of other providers. Throws what `signal` is aborted with.
 */
export async function checkFiles(
  server: Server,
  files: readonly ConfigFile[],
  current: readonly ConfigFile[],
  signal?: AbortSignal,
): Promise<FilesChecked> {
  const { surroundings, problem } = await around(server);
  signal?.throwIfAborted();
  const { overview } = surroundings;
  const known = knownOf(surroundings);
  const { problems, stopped } = judgeDirectory(files, known);
  const judgedNow = judgeDirectory(current, known);
  const old = new Set(judgedNow.problems.map(sameProblem));
  const [draft, now] = [modelOf(files), modelOf(current)];
  const before =
    overview === null
      ? withFiles(now, judgedNow.stopped, now, surroundings)
      : inForce(now, { ...surroundings, overview });
  const rejected = problems.some(({ effect }) => effect === "rejected");
  const after = rejected ? before : withFiles(draft, stopped, now, surroundings);
  signal?.throwIfAborted();
  return {
    problems: problems.map((one) => ({
      ...one,
      params: { ...one.params },
      known: old.has(sameProblem(one)),
    })),
    differences: rejected ? [] : differencesOf(now, draft, maskedValue),
    guarded: guardedOf(before, after),
    impact:
      overview === null && server.access_log !== undefined
        ? { state: "failed", problem, requests: 0, untold: 0, from: null, to: null, shifts: [] }
        : await impactOf(server.access_log, before, after, sourcesIn(overview), signal),
    problem,
  };
}

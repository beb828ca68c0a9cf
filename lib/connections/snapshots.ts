// What the systems of the configuration are busy with at this moment, each asked in its own way.
import type { Config } from "../config/schema";
import { AppError, tellProblem, toAppError } from "../errors/app-error";
import type { ToldProblem } from "../errors/contract";
import { processes, slowQueries } from "../systems/mariadb/snapshots";
import { workers } from "../systems/php-fpm/status";
import { slowCommands } from "../systems/redis/redis";
import type { Snapshot, SnapshotKind } from "../systems/snapshot";
import { backends } from "../systems/varnish/cli";

/** A snapshot of a component, or why there is none. */
export type ToldSnapshot = Snapshot & { readonly component: string; readonly problem: ToldProblem | null };
type Question = {
  readonly component: string;
  readonly kind: SnapshotKind;
  readonly take: (signal: AbortSignal) => Promise<Snapshot>;
};

/** What a system that is ill does not tell by then is not waited for. */
const askMs = 5000;

/** All that can be asked; a server without an account or a CLI of which Sluice knows is not. */
const questionsOf = ({ systems }: Config): Question[] => [
  ...systems.mariadb
    .filter(({ username }) => username !== undefined)
    .flatMap((one): Question[] => [
      { component: `mariadb/${one.name}`, kind: "processes", take: () => processes(one) },
      { component: `mariadb/${one.name}`, kind: "slowQueries", take: () => slowQueries(one) },
    ]),
  ...systems.php_fpm.map(
    (one): Question => ({ component: `php_fpm/${one.name}`, kind: "workers", take: () => workers(one) }),
  ),
  ...systems.varnish
    .filter(({ admin }) => admin !== undefined)
    .map(
      (one): Question => ({
        component: `varnish/${one.name}`,
        kind: "backends",
        take: (signal) => backends(one, signal),
      }),
    ),
  ...systems.redis.map(
    (one): Question => ({
      component: `redis/${one.name}`,
      kind: "slowCommands",
      take: () => slowCommands(one),
    }),
  ),
];

async function within(take: Question["take"]): Promise<Snapshot> {
  const signal = AbortSignal.timeout(askMs);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () =>
      reject(
        new AppError("TIMEOUT", `It told nothing within ${askMs} ms.`, {
          problem: "health.toldNothing",
          params: { seconds: askMs / 1000 },
        }),
      ),
    );
  });
  return Promise.race([take(signal), late]);
}

/** What each of `components` (kind/name) tells now, those that have something to tell. Never throws. */
export function snapshotsOf(components: readonly string[], config: Config): Promise<ToldSnapshot[]> {
  const questions = questionsOf(config).filter(({ component }) => components.includes(component));
  return Promise.all(
    questions.map(async ({ component, kind, take }) => {
      try {
        return { ...(await within(take)), component, problem: null };
      } catch (error) {
        const says = toAppError(error).message.slice(0, 300);
        const problem = tellProblem(error, { problem: "health.failed", params: { says } });
        return { component, kind, columns: [], rows: [], more: 0, problem };
      }
    }),
  );
}

// For tests only: the services domain on a database and a Docker Engine of its own.
import { type House, openHouse } from "../auth/house.fixture";
import type { ChangeRow } from "../changes/contract";
import { engine as changes } from "../changes/engine";
import type { Actor, Role } from "../changes/kind";
import { forgetSingleton } from "../runtime/singleton";
import {
  copyImage,
  startTestEngine,
  type TestEngine,
  type TestEngineOptions,
  testImage,
} from "../systems/docker/test-engine";
import { until } from "../systems/test-stack";
import type { ServicesCollector } from "./collector";
import type { ServiceRow } from "./contract";
import { registerServices } from "./register";
import { services } from "./service";

export type ServicesLab = {
  readonly own: TestEngine;
  readonly house: House;
  readonly collector: ServicesCollector;
  /** `docker run -d` on the host's network; gives the id. */
  run(name: string, script: string, ...options: string[]): Promise<string>;
  /** The container's row, once `test` likes it. */
  row(name: string, test?: (row: ServiceRow) => boolean, ms?: number): Promise<ServiceRow>;
  /** Accepts a change and waits for its end. */
  change(kind: string, input: unknown, options?: { confirmation?: string; role?: Role }): Promise<ChangeRow>;
  close(): Promise<void>;
};

export const actor = (role: Role = "admin"): Actor => ({
  type: "user",
  id: "u1",
  name: "Ada",
  role,
  sites: null,
  scopes: null,
});

export async function openServicesLab(
  name: string,
  {
    through,
    ...options
  }: TestEngineOptions & {
    /** Another way to the engine than its socket: the line of sluice.yaml that says it. */
    readonly through?: (socket: string) => Promise<string>;
  } = {},
  yaml = "",
): Promise<ServicesLab> {
  const own = await startTestEngine(name, options);
  try {
    await copyImage(own);
    const way = through === undefined ? `socket: "${own.socket}"` : await through(own.socket);
    const house = await openHouse(`systems:
  docker: [{ name: ${name}, ${way} }]
${yaml}`);
    forgetSingleton("services");
    forgetSingleton("config");
    forgetSingleton("changes.engine");
    registerServices();
    const collector = services();
    const stop = collector.start();
    await until("the engine is watched", async () => collector.host(name).up, 20_000);
    const lab: ServicesLab = {
      own,
      house,
      collector,
      run: (container, script, ...more) =>
        own.docker(
          "run",
          "-d",
          "--network",
          "host",
          "--name",
          container,
          ...more,
          testImage,
          "sh",
          "-c",
          script,
        ),
      row: (container, test = () => true, ms = 20_000) =>
        until(
          `${container} as wanted`,
          async () => collector.snapshot().rows.find((row) => row.name === container && test(row)),
          ms,
        ),
      async change(kind, input, { confirmation, role = "admin" } = {}) {
        const id = await changes().start({
          kind,
          input,
          actor: actor(role),
          origin: "page",
          confirmation: confirmation ?? null,
        });
        return changes().wait(id, 240_000);
      },
      async close() {
        await changes().stop(5000);
        await stop();
        await house.close();
        await own.stop();
      },
    };
    return lab;
  } catch (error) {
    await own.stop();
    throw error;
  }
}

// For tests only: the services domain on an engine of the test's own making.
import { forgetSingleton, singleton } from "../runtime/singleton";
import type { AtEnd } from "../systems/docker/engine.fixture";
import type { DockerEngine } from "../systems/docker/target";
import { until } from "../systems/test-stack";
import { type CollectorOptions, ServicesCollector } from "./collector";

/** The process's collector, watching this engine until the test ends. */
export async function watching(
  atEnd: AtEnd,
  engine: DockerEngine,
  options: CollectorOptions = {},
): Promise<ServicesCollector> {
  forgetSingleton("services");
  const systems = { docker: [engine] } as unknown as ReturnType<
    NonNullable<CollectorOptions["config"]>
  >["systems"];
  const collector = singleton(
    "services",
    () => new ServicesCollector({ config: () => ({ systems }), ...options }),
  );
  collector.follow();
  atEnd(async () => {
    await Promise.all(collector.hosts().map((host) => host.stop()));
    forgetSingleton("services");
  });
  await until("the engine is watched", async () => collector.host(engine.name).up, 5000);
  return collector;
}

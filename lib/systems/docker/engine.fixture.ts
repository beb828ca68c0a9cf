// For tests only: a Docker Engine that says what the test wants, over a real socket.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DockerEngine } from "./target";

/** Vitest's onTestFinished: what is left of a fixture goes with its test. */
export type AtEnd = (clean: () => Promise<void>) => void;

/** An engine that answers /version and, to anything else, what `answer` writes; until the test ends. */
export async function engineThat(
  atEnd: AtEnd,
  answer: (response: ServerResponse, path: string, request: IncomingMessage) => void,
): Promise<DockerEngine> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-docker-"));
  const socket = join(dir, "docker.sock");
  const server = createServer((request, response) => {
    if (request.url?.endsWith("/version")) response.end('{"Version":"1","ApiVersion":"1.41"}');
    else answer(response, request.url ?? "", request);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  atEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true });
  });
  return { name: "test", socket, timeout: 1000 };
}

/** A frame of a log's stream with these lines, which begin with their times. */
export function frame(text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = 1;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

/** What an engine says of a running container of this name, without what is not asked about. */
export const inspectedAs = (
  name: string,
  more: { readonly State?: object; readonly Config?: object; readonly HostConfig?: object } = {},
) => ({
  Id: Buffer.from(name).toString("hex").padEnd(64, "0").slice(0, 64),
  Name: `/${name}`,
  Created: "2026-01-01T00:00:00Z",
  Image: `sha256:${"1".repeat(64)}`,
  RestartCount: 0,
  State: {
    Status: "running",
    Running: true,
    ExitCode: 0,
    StartedAt: "2026-01-01T00:00:00Z",
    FinishedAt: "0001-01-01T00:00:00Z",
    ...more.State,
  },
  Config: { Image: "app:1", Labels: {}, ...more.Config },
  HostConfig: { ...more.HostConfig },
  NetworkSettings: {},
});

type Served = {
  /** Those that are listed and inspected, as they are at that moment. */
  readonly containers?: () => ReturnType<typeof inspectedAs>[];
  /** How far its clock is ahead of ours, ms. */
  readonly skewMs?: number;
  /** A viewer's or a host's stream of events begins. */
  readonly events?: (response: ServerResponse) => void;
  /** Anything else. Not answered: 404. */
  readonly other?: (response: ServerResponse, path: string, request: IncomingMessage) => boolean;
};

/** An engine that can be watched: events, facts, containers. */
export const watchableEngine = (
  atEnd: AtEnd,
  { containers = () => [], skewMs = 0, events, other }: Served,
): Promise<DockerEngine> =>
  engineThat(atEnd, (response, path, request) => {
    const json = (value: unknown) => response.end(JSON.stringify(value));
    const route = path.replace(/^\/v[\d.]+/, "").replace(/\?.*$/, "");
    const one = containers().find(({ Id, Name }) =>
      [`/containers/${Id}/json`, `/containers${Name}/json`].includes(route),
    );
    if (route === "/events") {
      response.write("\n");
      events?.(response);
    } else if (route === "/info")
      json({ ContainersRunning: 1, SystemTime: new Date(Date.now() + skewMs).toISOString() });
    else if (route === "/containers/json")
      json(
        containers().map(({ Id, Name, Config, State }) => ({
          Id,
          Names: [Name],
          Image: Config.Image,
          State: State.Status,
        })),
      );
    else if (one !== undefined) json(one);
    else if (!other?.(response, path, request)) {
      response.statusCode = 404;
      json({ message: `nothing at ${path}` });
    }
  });

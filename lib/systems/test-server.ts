// For tests only: small servers that speak as a test tells them, closed by `closeServers`.
import { createServer as createWeb, type RequestListener, type Server as WebServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { closeConnections } from "./exchange";
import type { Probed } from "./system";

const open: (Server | WebServer)[] = [];
const sockets = new Set<Socket>();

async function listening(server: Server | WebServer): Promise<number> {
  open.push(server);
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** An HTTP server's address. */
export const web = async (answer: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listening(createWeb(answer))}`;

/** A TCP server's port. */
export const tcp = (speak: (socket: Socket) => void): Promise<number> => listening(createServer(speak));

export async function closeServers(): Promise<void> {
  await closeConnections();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of open.splice(0)) await new Promise((resolve) => server.close(resolve));
}

/** A web server with a JSON (or text) per path; a status other than 200 as [status, body]; what it does not know is 404. */
export type Pages = Record<string, unknown>;
export const pages = (told: Pages): Promise<string> =>
  web((request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const page = told[path];
    const coded = Array.isArray(page) && typeof page[0] === "number";
    const [status, body] = coded ? page : page === undefined ? [404, "not found"] : [200, page];
    response.writeHead(Number(status)).end(typeof body === "string" ? body : JSON.stringify(body));
  });

/** The problem of one that is down, or "up". */
export const problemOf = (probed: Probed): string =>
  probed.state === "up" ? "up" : (probed.error.detail.problem ?? probed.error.code);

/** The problems that one that is up complains of. */
export const concernsOf = (probed: Probed): string[] =>
  probed.state === "up" ? (probed.data.concerns ?? []).map(({ problem }) => problem) : ["down"];

/** What every system over HTTP must tell apart: nobody there, one that hangs, a web page instead, a refused sign-in. */
export async function wrongAnswers(probe: (url: string) => Promise<Probed>): Promise<Record<string, string>> {
  return {
    refused: problemOf(await probe("http://127.0.0.1:9")),
    hanging: problemOf(await probe(await web(() => {}))),
    page: problemOf(await probe(await web((_, response) => response.end("<h1>hello</h1>")))),
    moved: problemOf(
      await probe(
        await web((_, response) => response.writeHead(302, { location: "http://127.0.0.1:9/" }).end()),
      ),
    ),
    password: problemOf(await probe(await web((_, response) => response.writeHead(401).end()))),
    failing: problemOf(await probe(await web((_, response) => response.writeHead(502).end()))),
  };
}

// One look at a MariaDB (or MySQL) server: it greets with its version, then refuses an anonymous sign-in.
import type { Socket } from "node:net";
import { AppError } from "../../errors/app-error";
import { look } from "../look";
import type { Probed } from "../system";
import { openTcp } from "../tcp";
import { wireError } from "../wire-error";
import { anonymousLogin, type Greeting, packet, readGreeting } from "./greeting";
import type { MariadbServer } from "./server";
import { readStatus } from "./status";

const blocked = 1129;
const tooMany = 1040;

function refusal(server: MariadbServer, greeting: Extract<Greeting, { state: "error" }>): AppError {
  const params = { system: server.name, code: greeting.code, says: greeting.message.slice(0, 200) };
  const problem =
    greeting.code === blocked
      ? "mariadb.blocked"
      : greeting.code === tooMany
        ? "mariadb.tooMany"
        : "mariadb.refused";
  return new AppError("REFUSED", `${server.name} refuses the connection (${greeting.code}): ${params.says}`, {
    problem,
    params,
  });
}

/** Resolves with the greeting; what comes after it goes to `after`. */
function greetingOf(server: MariadbServer, socket: Socket): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const end = () => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on("error", () => {});
    };
    const fail = (error: AppError) => {
      end();
      reject(error);
    };
    const timer = setTimeout(
      () =>
        fail(
          new AppError("TIMEOUT", `${server.name} did not greet within ${server.timeout} ms.`, {
            problem: "http.timeout",
            params: { address: server.address, ms: server.timeout },
          }),
        ),
      server.timeout,
    );
    const closed = () =>
      fail(
        new AppError("UNREACHABLE", `${server.name} closed the connection without a greeting.`, {
          problem: "http.reset",
          params: { address: server.address },
        }),
      );
    socket.on("error", (error) => fail(wireError(error, server.address)));
    socket.on("end", closed);
    socket.on("close", closed);
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      const greeting = readGreeting(bytes);
      if (greeting.state === "more") return;
      end();
      resolve(greeting);
    });
  });
}

/** Ends the handshake in the server's own way; whatever it says is fine, and nobody waits for it. */
function partPolitely(socket: Socket, timeoutMs: number): void {
  socket.on("data", (chunk) => {
    // 0xfe: it asks for another way to sign in, to which an empty answer is an answer.
    if (chunk[4] === 0xfe) socket.write(packet((chunk[3] ?? 0) + 1, new Uint8Array()));
    else socket.end();
  });
  socket.setTimeout(timeoutMs, () => socket.destroy());
  socket.on("end", () => socket.destroy());
  socket.unref();
  socket.write(anonymousLogin());
}

/** The server's version and product without an account there; with one, what it does and what it complains of. */
export const probe = (server: MariadbServer): Promise<Probed> =>
  look(`mariadb:${server.name}`, async () => {
    if (server.username !== undefined) return readStatus(server, server.username);
    const socket = await openTcp(server.address, server.timeout);
    let greeting: Greeting;
    try {
      greeting = await greetingOf(server, socket);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    if (greeting.state === "greeting") {
      partPolitely(socket, server.timeout);
      return { version: greeting.version, facts: { product: greeting.product } };
    }
    socket.destroy();
    if (greeting.state === "error") throw refusal(server, greeting);
    throw new AppError("BAD_ANSWER", `${server.name}: what answers there is no MariaDB.`, {
      problem: "mariadb.garbage",
      params: { system: server.name },
    });
  });

// A connection to a MariaDB (or MySQL) server by an account there, for a few questions.
import { type Connection, createConnection } from "mysql2/promise";
import { AppError } from "../../errors/app-error";
import { hostAndPort } from "../tcp";
import { wireError } from "../wire-error";
import type { MariadbServer } from "./server";

/** mysql2 names what the server refused by its number (mariadb.com/kb/en/mariadb-error-codes). */
function foreignError(server: MariadbServer, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  const params = { system: server.name };
  if (code === "ER_ACCESS_DENIED_ERROR" || code === "ER_ACCESS_DENIED_NO_PASSWORD_ERROR")
    return new AppError("UPSTREAM_AUTH", `${server.name} does not accept username and password.`, {
      problem: "mariadb.auth",
      params,
    });
  if (code === "ETIMEDOUT" || code === "PROTOCOL_SEQUENCE_TIMEOUT")
    return new AppError("TIMEOUT", `${server.name} did not answer within ${server.timeout} ms.`, {
      problem: "http.timeout",
      params: { address: server.address, ms: server.timeout },
    });
  if (typeof errno === "number" && errno > 0 && typeof code === "string" && code.startsWith("ER_")) {
    const says = error instanceof Error ? error.message.slice(0, 200) : code;
    return new AppError("REFUSED", `${server.name} refuses (${errno}): ${says}`, {
      problem: "mariadb.refused",
      params: { ...params, code: errno, says },
    });
  }
  return wireError(error, server.address);
}

/** Does `ask` on a connection of its own. Throws AppError UPSTREAM_AUTH, REFUSED, TIMEOUT, UNREACHABLE. */
export async function connected<T>(
  server: MariadbServer,
  user: string,
  ask: (connection: Connection) => Promise<T>,
): Promise<T> {
  const { host, port } = hostAndPort(server.address);
  const { timeout } = server;
  let connection: Connection | null = null;
  // mysql2 bounds connecting and each query, not the greeting of a server that hangs.
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error("late"), { code: "ETIMEDOUT" })), timeout);
  });
  const opening = createConnection({
    host,
    port,
    user,
    ...(server.password === undefined ? {} : { password: server.password }),
    connectTimeout: timeout,
  });
  opening.catch(() => {});
  try {
    connection = await Promise.race([opening, late]);
    clearTimeout(timer);
    connection.on("error", () => {});
    return await ask(connection);
  } catch (error) {
    // One that comes too late is not left open.
    opening.then((open) => open.destroy()).catch(() => {});
    throw foreignError(server, error);
  } finally {
    clearTimeout(timer);
    connection?.destroy();
  }
}

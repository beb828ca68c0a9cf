// A MariaDB (or MySQL) server's own figures, by an account there: SHOW GLOBAL STATUS needs no privilege, the replica's state does.
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import { AppError } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import type { Seen } from "../system";
import { hostAndPort } from "../tcp";
import { wireError } from "../wire-error";
import type { MariadbServer } from "./server";

const connectionsAt = 0.9;
const lagAtS = 60;
const wantedStatus = [
  "Uptime",
  "Threads_connected",
  "Threads_running",
  "Aborted_connects",
  "Connections",
  "Queries",
  "Slow_queries",
  "Innodb_buffer_pool_reads",
  "Innodb_buffer_pool_read_requests",
  "Created_tmp_disk_tables",
] as const;
const wantedVariables = ["version", "max_connections", "read_only"] as const;

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

/** SHOW's two columns as numbers and texts by name. */
async function show(connection: Connection, sql: string, timeout: number): Promise<Map<string, string>> {
  const [rows] = await connection.query<RowDataPacket[]>({ sql, timeout });
  return new Map(rows.map((row) => [String(row.Variable_name), String(row.Value)]));
}

const list = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(",");

/** The replica's state: seconds behind, or why it stands; null where it is none, "denied" where the account may not know. */
async function replica(
  connection: Connection,
  timeout: number,
): Promise<{ lagS: number | null; running: boolean } | "denied" | null> {
  try {
    const [rows] = await connection.query<RowDataPacket[]>({ sql: "SHOW ALL SLAVES STATUS", timeout });
    const states = rows.map((row) => ({
      lagS: row.Seconds_Behind_Master === null ? null : Number(row.Seconds_Behind_Master),
      running: row.Slave_IO_Running === "Yes" && row.Slave_SQL_Running === "Yes",
    }));
    return (
      states.find(({ running }) => !running) ??
      states.sort((a, b) => (b.lagS ?? 0) - (a.lagS ?? 0))[0] ??
      null
    );
  } catch (error) {
    const { code } = (error ?? {}) as { code?: unknown };
    // MySQL has no such statement; MariaDB wants REPLICA MONITOR for it.
    if (code === "ER_SPECIFIC_ACCESS_DENIED_ERROR" || code === "ER_PARSE_ERROR") return "denied";
    throw error;
  }
}

/** What the server says of itself. Throws AppError UPSTREAM_AUTH, REFUSED, TIMEOUT, UNREACHABLE. */
export async function readStatus(server: MariadbServer, user: string): Promise<Seen> {
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
    const open = connection;
    open.on("error", () => {});
    const status = await show(
      open,
      `SHOW GLOBAL STATUS WHERE Variable_name IN (${list(wantedStatus)})`,
      timeout,
    );
    const variables = await show(
      open,
      `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${list(wantedVariables)})`,
      timeout,
    );
    const copy = await replica(open, timeout);
    const number = (name: (typeof wantedStatus)[number]) => Number(status.get(name) ?? 0);
    const most = Number(variables.get("max_connections") ?? 0);
    const used = number("Threads_connected");
    const system = server.name;
    const concerns: ToldProblem[] = [];
    if (most > 0 && used > connectionsAt * most)
      concerns.push({ problem: "mariadb.nearlyFull", params: { system, used, most } });
    if (copy !== null && copy !== "denied") {
      if (!copy.running) concerns.push({ problem: "mariadb.replicaStands", params: { system } });
      else if ((copy.lagS ?? 0) > lagAtS)
        concerns.push({ problem: "mariadb.replicaLags", params: { system, seconds: copy.lagS ?? 0 } });
    }
    return {
      version: variables.get("version") ?? null,
      facts: {
        connections: `${used} / ${most}`,
        running: number("Threads_running"),
        uptime: number("Uptime"),
        readOnly: variables.get("read_only") ?? "–",
        ...(copy === null || copy === "denied" ? {} : { lag: copy.lagS ?? "–" }),
      },
      counters: {
        queries: number("Queries"),
        slowQueries: number("Slow_queries"),
        connections: number("Connections"),
        abortedConnects: number("Aborted_connects"),
        poolReads: number("Innodb_buffer_pool_reads"),
        poolRequests: number("Innodb_buffer_pool_read_requests"),
        diskTables: number("Created_tmp_disk_tables"),
      },
      concerns,
    };
  } catch (error) {
    // One that comes too late is not left open.
    opening.then((open) => open.destroy()).catch(() => {});
    throw foreignError(server, error);
  } finally {
    clearTimeout(timer);
    connection?.destroy();
  }
}

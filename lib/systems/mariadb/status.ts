// A MariaDB (or MySQL) server's own figures, by an account there: SHOW GLOBAL STATUS needs no privilege, the replica's state does.
import type { Connection, RowDataPacket } from "mysql2/promise";
import type { ToldProblem } from "../../errors/contract";
import type { Seen } from "../system";
import { connected } from "./connection";
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
export const readStatus = (server: MariadbServer, user: string): Promise<Seen> =>
  connected(server, user, async (connection) => {
    const { timeout } = server;
    const status = await show(
      connection,
      `SHOW GLOBAL STATUS WHERE Variable_name IN (${list(wantedStatus)})`,
      timeout,
    );
    const variables = await show(
      connection,
      `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${list(wantedVariables)})`,
      timeout,
    );
    const copy = await replica(connection, timeout);
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
  });

// What a MariaDB server is doing, and what took long: its process list and its slow log.
import type { RowDataPacket } from "mysql2/promise";
import { AppError } from "../../errors/app-error";
import { type Cell, type Snapshot, snapshot } from "../snapshot";
import { connected } from "./connection";
import type { MariadbServer } from "./server";

const slowMinutes = 15;
/** Reading the slow log of a server that is ill must not make it worse. */
const slowLogSeconds = 2;
/** More than a snapshot keeps, so that it can say that there was more. */
const slowRows = 200;

/** A statement without what it is about: texts may be personal, or secret. One that was cut within a text ends there. */
export const withoutTexts = (sql: string): string =>
  sql.replace(/'(?:[^'\\]|\\.|'')*(?:'|$)|"(?:[^"\\]|\\.|"")*(?:"|$)/gs, "'?'");

const text = (value: unknown): string => (value === null || value === undefined ? "" : String(value));
const statement = (value: unknown): Cell => (text(value) === "" ? null : withoutTexts(text(value)));

/** Seconds of a TIME such as "00:01:02.500000". */
export const secondsOf = (time: string): number =>
  time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);

function account(server: MariadbServer): string {
  if (server.username !== undefined) return server.username;
  throw new AppError("NOT_CONFIGURED", `${server.name} has no username in sluice.yaml.`, {
    problem: "mariadb.noAccount",
    params: { system: server.name },
  });
}

/**
 * The statements at work, the longest first, then who only holds a connection (SHOW FULL PROCESSLIST). Without the privilege PROCESS a
 * server tells of the account's own only. Throws AppError.
 */
export const processes = async (server: MariadbServer): Promise<Snapshot> => {
  const user = account(server);
  const rows = await connected(server, user, async (connection) => {
    const [all] = await connection.query<RowDataPacket[]>({
      sql: "SHOW FULL PROCESSLIST",
      timeout: server.timeout,
    });
    return all.filter(({ Id, Command }) => Id !== connection.threadId && Command !== "Daemon");
  });
  const idle = (command: unknown) => Number(command === "Sleep");
  return snapshot(
    "processes",
    ["seconds", "command", "state", "statement", "user", "database"],
    rows
      .sort((a, b) => idle(a.Command) - idle(b.Command) || Number(b.Time) - Number(a.Time))
      .map((row) => [
        Number(row.Time),
        text(row.Command),
        text(row.State),
        statement(row.Info),
        text(row.User),
        text(row.db),
      ]),
  );
};

/** What took longer than long_query_time in the last quarter of an hour, the newest first. Throws AppError, also where no slow log can be read. */
export const slowQueries = (server: MariadbServer): Promise<Snapshot> => {
  const user = account(server);
  return connected(server, user, async (connection) => {
    const [settings] = await connection.query<RowDataPacket[]>({
      sql: "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('slow_query_log', 'log_output')",
      timeout: server.timeout,
    });
    const setting = new Map(settings.map((row) => [row.Variable_name, text(row.Value)]));
    if (setting.get("slow_query_log") !== "ON" || !setting.get("log_output")?.includes("TABLE"))
      throw new AppError("NOT_CONFIGURED", `${server.name} keeps no slow log in a table.`, {
        problem: "mariadb.noSlowLog",
        params: { system: server.name },
      });
    const [rows] = await connection.query<RowDataPacket[]>({
      sql: `SET STATEMENT max_statement_time=${slowLogSeconds} FOR
        SELECT UNIX_TIMESTAMP(start_time) AS at, query_time, rows_examined, db,
          CONVERT(sql_text USING utf8mb4) AS said
        FROM mysql.slow_log WHERE start_time > NOW() - INTERVAL ${slowMinutes} MINUTE
        ORDER BY start_time DESC LIMIT ${slowRows}`,
      timeout: server.timeout,
    });
    return snapshot(
      "slowQueries",
      ["at", "seconds", "rowsExamined", "statement", "database"],
      rows.map((row) => [
        new Date(Number(row.at) * 1000).toISOString(),
        secondsOf(text(row.query_time)),
        Number(row.rows_examined),
        statement(row.said),
        text(row.db),
      ]),
    );
  });
};

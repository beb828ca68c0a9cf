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
const mostRows = 200;

/** Of a statement no more is read. */
const readStatement = 2000;
const parts = /\/\*[\s\S]*?(?:\*\/|$)|(?:--[ \t]|#)[^\n]*|`[^`]*(?:`|$)|['"]|\b0x[0-9a-f]*|\b\d[\w.]*/gi;

/**
 * A statement without what it is about, as digests have it: "?" for each text and number, comments left out. Where a text ends is not
 * always certain (a backslash before its quote means two things, by sql_mode): then all that follows is left out.
 */
export function withoutValues(sql: string): string {
  let told = "";
  let at = 0;
  parts.lastIndex = 0;
  for (let found = parts.exec(sql); found !== null; found = parts.exec(sql)) {
    const [part] = found;
    told += sql.slice(at, found.index);
    at = parts.lastIndex;
    if (part.startsWith("`")) told += part;
    else if (part === "'" || part === '"') {
      const end = endOfText(sql, at, part);
      told += "?";
      if (end === null) return `${told}…`;
      at = end;
      parts.lastIndex = end;
    } else if (!/^(?:\/\*|--|#)/.test(part)) told += "?";
  }
  return told + sql.slice(at);
}

/** Just after the closing quote; null where that is not certain. */
function endOfText(sql: string, from: number, quote: string): number | null {
  for (let at = from; at < sql.length; at += 1) {
    if (sql[at] === "\\") {
      if (sql[at + 1] === quote) return null;
      at += 1;
    } else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at += 1;
    }
  }
  return null;
}

const text = (value: unknown): string => (value === null || value === undefined ? "" : String(value));
const statement = (value: unknown): Cell => (text(value) === "" ? null : withoutValues(text(value)));

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
 * The statements at work, the longest first, then who only holds a connection. Without the privilege PROCESS a server tells of the
 * account's own only. Throws AppError.
 */
export const processes = async (server: MariadbServer): Promise<Snapshot> => {
  const user = account(server);
  const rows = await connected(server, user, async (connection) => {
    const [all] = await connection.query<RowDataPacket[]>({
      sql: `SELECT TIME AS seconds, COMMAND AS command, STATE AS state, LEFT(INFO, ${readStatement}) AS said, USER AS user, DB AS db
        FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND COMMAND <> 'Daemon'
        ORDER BY COMMAND = 'Sleep', TIME DESC LIMIT ${mostRows}`,
      timeout: server.timeout,
    });
    return all;
  });
  return snapshot(
    "processes",
    ["seconds", "command", "state", "statement", "user", "database"],
    rows.map((row) => [
      Number(row.seconds),
      text(row.command),
      text(row.state),
      statement(row.said),
      text(row.user),
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
          CONVERT(LEFT(sql_text, ${readStatement}) USING utf8mb4) AS said
        FROM mysql.slow_log WHERE start_time > NOW() - INTERVAL ${slowMinutes} MINUTE
        ORDER BY start_time DESC LIMIT ${mostRows}`,
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

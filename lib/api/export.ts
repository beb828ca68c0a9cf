// History as one file, CSV or JSON, written while it is read.
import * as z from "zod";
import { type ChangeRow, changeFilter } from "../changes/contract";
import { exportChanges } from "../changes/queries";
import { AppError } from "../errors/app-error";
import { admit, contextOf } from "./base";
import { errorResponse } from "./errors";
import { finish } from "./headers";
import { policies } from "./policy";

const request = changeFilter.extend({ format: z.enum(["csv", "json"]) });

const columns: readonly { readonly name: string; value(row: ChangeRow): string | number | null }[] = [
  { name: "id", value: (row) => row.id },
  { name: "kind", value: (row) => row.kind },
  { name: "title", value: (row) => row.title },
  { name: "state", value: (row) => row.state },
  { name: "outcome", value: (row) => row.outcome },
  { name: "level", value: (row) => row.level },
  { name: "site", value: (row) => row.site },
  { name: "actor_type", value: (row) => row.actor.type },
  { name: "actor", value: (row) => row.actor.name },
  { name: "origin", value: (row) => row.origin },
  { name: "reason", value: (row) => row.reason },
  { name: "error_code", value: (row) => row.error?.code ?? null },
  { name: "error", value: (row) => row.error?.message ?? null },
  { name: "created_at", value: (row) => row.createdAt },
  { name: "started_at", value: (row) => row.startedAt },
  { name: "finished_at", value: (row) => row.finishedAt },
];

/** One field of CSV (RFC 4180); a text that a spreadsheet would take for a formula is made plain by an apostrophe. */
export function csvField(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const plain = /^[\s]*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** Rows as the text of a CSV file, piece by piece. */
export async function* toCsv(rows: AsyncIterable<ChangeRow>): AsyncGenerator<string, void> {
  yield `${columns.map(({ name }) => name).join(",")}\r\n`;
  for await (const row of rows) yield `${columns.map(({ value }) => csvField(value(row))).join(",")}\r\n`;
}

/** Rows as the text of one JSON array, piece by piece. */
export async function* toJson(rows: AsyncIterable<ChangeRow>): AsyncGenerator<string, void> {
  let first = true;
  yield "[";
  for await (const row of rows) {
    yield `${first ? "\n" : ",\n"}${JSON.stringify(row)}`;
    first = false;
  }
  yield "\n]\n";
}

/** Answers GET /api/v1/changes/export?format=csv|json and the filters of the history. */
export async function answerExport(asked: Request): Promise<Response> {
  const context = contextOf(asked);
  try {
    const { actor } = await admit(policies.changes.list, context);
    const query = Object.fromEntries(new URL(asked.url).searchParams);
    const parsed = request.safeParse(query);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new AppError("INVALID_INPUT", issue?.message ?? "invalid input", {
        problem: "input.invalid",
        field: issue?.path.map(String).join(".") ?? "format",
      });
    }
    const { format, ...filter } = parsed.data;
    const rows = exportChanges(filter, actor.sites);
    const name = `sluice-history-${new Date().toISOString().slice(0, 10)}.${format}`;
    const file = new Response(streamOf(format === "csv" ? toCsv(rows) : toJson(rows)), {
      headers: {
        "content-type": format === "csv" ? "text/csv; charset=utf-8" : "application/json",
        "content-disposition": `attachment; filename="${name}"`,
      },
    });
    finish(file.headers, context.requestId);
    return file;
  } catch (error) {
    return errorResponse(error, context.requestId);
  }
}

/** Pieces of some kilobytes at the reader's pace; ends the reading of rows when the reader leaves. */
export function streamOf(pieces: AsyncGenerator<string, void>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const pieceSize = 16_384;
  return new ReadableStream({
    async pull(controller) {
      let text = "";
      while (text.length < pieceSize) {
        const next = await pieces.next();
        if (next.done) {
          if (text !== "") controller.enqueue(encoder.encode(text));
          controller.close();
          return;
        }
        text += next.value;
      }
      controller.enqueue(encoder.encode(text));
    },
    async cancel() {
      await pieces.return();
    },
  });
}

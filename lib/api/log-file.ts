// A container's log as one text file, written while it is read.
import { AppError } from "../errors/app-error";
import { logQuery } from "../services/logs/contract";
import { logText } from "../services/logs/logs";
import { services } from "../services/service";
import { admit, contextOf } from "./base";
import { errorResponse } from "./errors";
import { streamOf } from "./export";
import { finish } from "./headers";
import { policies } from "./policy";

/** The same pieces, the first of which is there already. Throws what keeps it from coming. */
async function begun(pieces: AsyncIterable<string>): Promise<AsyncGenerator<string, void>> {
  const iterator = pieces[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let one = first; !one.done; one = await iterator.next()) yield one.value;
    } finally {
      await iterator.return?.();
    }
  })();
}

/** Answers GET /api/v1/services/log?of=host/container&of=…&since=…&until=…&search=…&regex=true&level=…&stream=… */
export async function answerLogFile(asked: Request): Promise<Response> {
  const context = contextOf(asked);
  try {
    await admit(policies.services.logs, context);
    const { searchParams } = new URL(asked.url);
    const one = (name: string) => searchParams.get(name) ?? undefined;
    const parsed = logQuery.safeParse({
      of: searchParams.getAll("of").map((text) => {
        const [host, id = ""] = text.split("/", 2);
        return id.startsWith("swarm:") ? { host, id: id.slice(6), kind: "swarm" } : { host, id };
      }),
      since: one("since"),
      until: one("until"),
      search: one("search"),
      regex: one("regex") === "true",
      levels: searchParams.getAll("level"),
      stream: one("stream"),
      follow: false,
    });
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new AppError("INVALID_INPUT", issue?.message ?? "invalid input", {
        problem: "input.invalid",
        field: issue?.path.map(String).join(".") ?? "of",
      });
    }
    const ended = new AbortController();
    asked.signal.addEventListener("abort", () => ended.abort(), { once: true });
    // Unknown containers are refused before the file begins.
    const names = parsed.data.of.map((ref) =>
      ref.kind === "swarm" ? ref.id : services().find(ref).watched.name,
    );
    // So are a search and a range that make no sense: then no file is begun.
    const text = await begun(logText(parsed.data, ended.signal));
    const stamp = new Date().toISOString().replace(/[:.]/g, "-").slice(0, 19);
    const file = new Response(streamOf(text), {
      headers: {
        "content-type": "text/plain; charset=utf-8",
        "content-disposition": `attachment; filename="${names.join("+").slice(0, 100)}-${stamp}.log"`,
      },
    });
    finish(file.headers, context.requestId);
    return file;
  } catch (error) {
    return errorResponse(error, context.requestId);
  }
}

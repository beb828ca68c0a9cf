// A file of a snapshot, or a folder as one file, as restic gives it: streamed, and stopped when its reader leaves.
import { downloadRequest } from "../backup/contract";
import { download } from "../backup/service";
import { AppError } from "../errors/app-error";
import { admit, contextOf } from "./base";
import { errorResponse } from "./errors";
import { finish } from "./headers";
import { policies } from "./policy";

/** "attachment" with a name that no header or disk takes amiss; by RFC 6266, with the real one beside it. */
export function attachment(path: string, archive: "tar" | "zip" | null, snapshot: string): string {
  const last = path.split("/").at(-1) || snapshot.slice(0, 8);
  const name = `${last.slice(-200)}${archive === null ? "" : `.${archive}`}`;
  // A lone half of a character has no UTF-8.
  const whole = name.replace(/[\p{Cc}\p{Cs}]/gu, "_");
  const plain = whole.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(whole).replace(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

/** At the reader's pace; one who leaves ends it, and what fails in the middle breaks it off, so that half a file is never taken for one. */
function streamOf(pieces: AsyncGenerator<Buffer, void>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await pieces.return();
    },
  });
}

/** Answers GET /api/v1/backup/file?repository=…&snapshot=…&path=…&archive=tar|zip (for a folder) */
export async function answerBackupFile(asked: Request): Promise<Response> {
  const context = contextOf(asked);
  try {
    await admit(policies.backup.folder, context);
    const parsed = downloadRequest.safeParse(Object.fromEntries(new URL(asked.url).searchParams));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new AppError("INVALID_INPUT", issue?.message ?? "invalid input", {
        problem: "input.invalid",
        field: issue?.path.map(String).join(".") ?? "path",
      });
    }
    const { path, snapshot } = parsed.data;
    // What restic refuses is refused before a file begins.
    const { archive, pieces } = await download(parsed.data, asked.signal);
    const file = new Response(streamOf(pieces), {
      headers: {
        "content-type": "application/octet-stream",
        "content-disposition": attachment(path, archive, snapshot),
      },
    });
    finish(file.headers, context.requestId);
    return file;
  } catch (error) {
    return errorResponse(error, context.requestId);
  }
}

// JSON values one after the other, as Docker streams events, statistics and the progress of a pull.
import type { Readable } from "node:stream";
import { AppError } from "../../errors/app-error";

/** Each value of the stream. Throws AppError BAD_ANSWER when it is no JSON or one value is longer than `maxBytes`. */
export async function* jsonLines(stream: Readable, maxBytes: number): AsyncGenerator<unknown, void> {
  let held: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of stream) {
      const chunk: Buffer = Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece));
      let from = 0;
      for (;;) {
        const end = chunk.indexOf(10, from);
        if (end === -1) break;
        const line = Buffer.concat([...held, chunk.subarray(from, end)])
          .toString("utf8")
          .trim();
        held = [];
        size = 0;
        from = end + 1;
        if (line !== "") yield parsed(line);
      }
      if (from < chunk.length) {
        held.push(chunk.subarray(from));
        size += chunk.length - from;
      }
      if (size > maxBytes) throw garbage();
    }
    const rest = Buffer.concat(held).toString("utf8").trim();
    if (rest !== "") yield parsed(rest);
  } finally {
    stream.destroy();
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw garbage();
  }
}

const garbage = () =>
  new AppError("BAD_ANSWER", "The Docker Engine's stream is not understood.", { problem: "docker.garbage" });

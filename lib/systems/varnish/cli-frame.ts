// The words of Varnish's management CLI: how a command is written and how an answer is framed.
import { createHash } from "node:crypto";

/** One answer: its status (200 is good) and its text. */
export type CliFrame = { readonly status: number; readonly body: string };

const headerBytes = 13;
/** Far more than any answer of ours; Varnish itself cuts at cli_limit (48 kB by default). */
const mostBytes = 8 * 1024 * 1024;

export class FrameError extends Error {}

/** Cuts the byte stream into answers, however it arrives. */
export class FrameParser {
  #pending: Buffer = Buffer.alloc(0);

  /** The answers that are whole by now. Throws FrameError when the stream is not the CLI's. */
  push(chunk: Uint8Array): CliFrame[] {
    this.#pending = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk]);
    const frames: CliFrame[] = [];
    for (;;) {
      if (this.#pending.length < headerBytes) return frames;
      const header = /^(\d{3}) (\d{1,8}) *\n$/.exec(this.#pending.toString("latin1", 0, headerBytes));
      const length = Number(header?.[2]);
      if (!header || length > mostBytes) throw new FrameError("not an answer of Varnish's CLI");
      const end = headerBytes + length;
      if (this.#pending.length < end + 1) return frames;
      if (this.#pending[end] !== 0x0a) throw new FrameError("an answer without its end");
      frames.push({ status: Number(header[1]), body: this.#pending.toString("utf8", headerBytes, end) });
      this.#pending = this.#pending.subarray(end + 1);
    }
  }
}

/**
 * One argument, in quotes, on one line: whatever it holds, it stays one argument (never a here-document, whose body would
 * run as commands when its first line is refused). NUL cannot be said in the CLI and throws.
 */
export function quoteArgument(text: string): string {
  let quoted = '"';
  for (const byte of Buffer.from(text, "utf8")) {
    if (byte === 0) throw new FrameError("a NUL byte");
    if (byte === 0x22) quoted += '\\"';
    else if (byte === 0x5c) quoted += "\\\\";
    else if (byte === 0x0a) quoted += "\\n";
    else if (byte >= 0x20 && byte < 0x7f) quoted += String.fromCharCode(byte);
    // Octal, because three digits end it; \x would be read on into a following digit by some versions.
    else quoted += `\\${byte.toString(8).padStart(3, "0")}`;
  }
  return `${quoted}"`;
}

/**
 * A whole command line. Plain words stand bare: varnishd 7.1 refuses two quoted arguments in a row ("Missing separator"), so
 * that a second one throws instead of being guessed at.
 */
export function commandLine(verb: string, args: readonly string[]): string {
  if (!/^[a-z][a-z._]*$/.test(verb)) throw new FrameError("not a verb");
  let quoted = false;
  const written = args.map((arg) => {
    const plain = /^[A-Za-z0-9_.:/=~!&<>@%,+-]+$/.test(arg);
    if (!plain && quoted) throw new FrameError("two quoted arguments in a row");
    quoted = !plain;
    return plain ? arg : quoteArgument(arg);
  });
  return `${[verb, ...written].join(" ")}\n`;
}

/** What proves that we know the secret: the file's raw bytes, its own newline included. */
export function authAnswer(challenge: string, secret: Uint8Array): string {
  return createHash("sha256")
    .update(`${challenge}\n`, "latin1")
    .update(secret)
    .update(`${challenge}\n`, "latin1")
    .digest("hex");
}

// Docker's log frames: an 8-byte header {stream, 0, 0, 0, length as uint32 big endian}, then that many bytes (Engine API,
// ContainerAttach). A container with a terminal (Tty) sends bare bytes.

export type LogStream = "stdout" | "stderr";
/** One line without its end. `text` is what the bytes say in UTF-8, what is none replaced by U+FFFD. */
export type RawLine = {
  readonly stream: LogStream;
  readonly text: string;
  /** Bytes cut away from the end of a line that is longer than the limit. */
  readonly cut: number;
};

const headerLength = 8;
const newline = 10;

/** A line grows at most to this; the rest of it is counted and dropped. */
export const maxLineBytes = 64 * 1024;

/** One stream's bytes to lines. The bytes of a line come in any pieces. */
class Lines {
  readonly #stream: LogStream;
  #parts: Buffer[] = [];
  #held = 0;
  #cut = 0;

  constructor(stream: LogStream) {
    this.#stream = stream;
  }

  push(bytes: Buffer, out: RawLine[]): void {
    let from = 0;
    for (;;) {
      const end = bytes.indexOf(newline, from);
      if (end === -1) break;
      this.#hold(bytes.subarray(from, end));
      this.flush(out);
      from = end + 1;
    }
    if (from < bytes.length) this.#hold(bytes.subarray(from));
  }

  flush(out: RawLine[]): void {
    const bytes = this.#parts.length === 1 ? (this.#parts[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#parts);
    const end = bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length;
    out.push({ stream: this.#stream, text: bytes.toString("utf8", 0, end), cut: this.#cut });
    this.#parts = [];
    this.#held = 0;
    this.#cut = 0;
  }

  end(out: RawLine[]): void {
    if (this.#held > 0 || this.#cut > 0) this.flush(out);
  }

  #hold(bytes: Buffer): void {
    const room = maxLineBytes - this.#held;
    const taken = bytes.length <= room ? bytes : bytes.subarray(0, Math.max(0, room));
    this.#cut += bytes.length - taken.length;
    if (taken.length === 0) return;
    this.#parts.push(taken);
    this.#held += taken.length;
  }
}

/**
 * Parses one container's log stream piece by piece, in linear time and with bounded memory: at most one line per stream is held.
 * Throws a RangeError when the bytes are not frames (a proxy's page, a terminal's bare text).
 */
export class FrameParser {
  readonly #tty: boolean;
  readonly #lines = { stdout: new Lines("stdout"), stderr: new Lines("stderr") };
  #header = Buffer.alloc(0);
  #left = 0;
  #current: LogStream = "stdout";

  constructor(tty: boolean) {
    this.#tty = tty;
  }

  /** The lines that these bytes complete. */
  push(chunk: Buffer): RawLine[] {
    const out: RawLine[] = [];
    if (this.#tty) {
      this.#lines.stdout.push(chunk, out);
      return out;
    }
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        const missing = headerLength - this.#header.length;
        const piece = chunk.subarray(at, at + missing);
        at += piece.length;
        const header = this.#header.length === 0 ? piece : Buffer.concat([this.#header, piece]);
        if (header.length < headerLength) {
          // A copy: the chunk's memory is not ours to keep.
          this.#header = Buffer.from(header);
          break;
        }
        this.#header = Buffer.alloc(0);
        this.#begin(header);
        continue;
      }
      const body = chunk.subarray(at, at + this.#left);
      at += body.length;
      this.#left -= body.length;
      this.#lines[this.#current].push(body, out);
    }
    return out;
  }

  /** What was still waiting for its line end. */
  end(): RawLine[] {
    const out: RawLine[] = [];
    this.#lines.stdout.end(out);
    this.#lines.stderr.end(out);
    return out;
  }

  #begin(header: Buffer): void {
    const stream = header[0] ?? 255;
    if (stream > 2 || header[1] !== 0 || header[2] !== 0 || header[3] !== 0) {
      throw new RangeError("these bytes are no log frames of Docker");
    }
    this.#current = stream === 2 ? "stderr" : "stdout";
    this.#left = header.readUInt32BE(4);
  }
}

// Sends requests over kept-alive connections, one at a time on each, and measures each answer.
import { connect, type Socket } from "node:net";

export type Door = { readonly host: string; readonly port: number };
export type Shot = {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
};
export type Figures = {
  readonly count: number;
  readonly failed: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Milliseconds from the moment it was due to the answer's last byte. */
  readonly p50: number;
  readonly p99: number;
};

/** One connection: answers come in the order of the questions. */
export class Line {
  readonly #socket: Socket;
  #buffer = "";
  #waiting: ((status: number) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => this.#read(chunk));
    socket.on("close", () => this.#waiting?.(0));
    socket.on("error", () => {});
  }

  static open(door: Door): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect(door.port, door.host, () => resolve(new Line(socket)));
      socket.once("error", reject);
    });
  }

  send({ method, path, headers = {} }: Shot): Promise<number> {
    return new Promise((resolve) => {
      this.#waiting = (status) => {
        this.#waiting = null;
        resolve(status);
      };
      const more = Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join("");
      this.#socket.write(`${method} ${path} HTTP/1.1\r\nHost: site.localhost\r\n${more}\r\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    this.#buffer += chunk;
    const end = this.#buffer.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#buffer.slice(0, end))?.[1] ?? 0);
    if (this.#buffer.length < end + 4 + length) return;
    const status = Number(this.#buffer.slice(9, 12));
    this.#buffer = this.#buffer.slice(end + 4 + length);
    this.#waiting?.(status);
  }
}

export function figures(times: number[], failed: number, seconds: number): Figures {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return {
    count: times.length,
    failed,
    seconds,
    perSecond: times.length / seconds,
    p50: at(0.5),
    p99: at(0.99),
  };
}

/** As fast as `connections` lines go. */
export async function flood(lines: readonly Line[], shots: readonly Shot[]): Promise<Figures> {
  const times: number[] = [];
  let failed = 0;
  let next = 0;
  const begun = performance.now();
  await Promise.all(
    lines.map(async (line) => {
      for (let shot = shots[next++]; shot; shot = shots[next++]) {
        const from = performance.now();
        const status = await line.send(shot);
        if (status === 200) times.push(performance.now() - from);
        else failed++;
      }
    }),
  );
  return figures(times, failed, (performance.now() - begun) / 1000);
}

/** `perSecond` of them, whatever the answers take: what is late counts as late. */
export async function pace(
  lines: readonly Line[],
  shots: readonly Shot[],
  perSecond: number,
): Promise<Figures> {
  const times: number[] = [];
  let failed = 0;
  const free = [...lines];
  const due: { shot: Shot; at: number }[] = [];
  let left = shots.length;
  const begun = performance.now();
  await new Promise<void>((resolve) => {
    const serve = () => {
      for (
        let line = due.length > 0 ? free.pop() : undefined;
        line;
        line = due.length > 0 ? free.pop() : undefined
      ) {
        const one = due.shift();
        if (!one) break;
        const used = line;
        void used.send(one.shot).then((status) => {
          if (status === 200) times.push(performance.now() - one.at);
          else failed++;
          free.push(used);
          if (--left === 0) resolve();
          else serve();
        });
      }
    };
    let sent = 0;
    const timer = setInterval(() => {
      const should = Math.min(shots.length, Math.floor(((performance.now() - begun) / 1000) * perSecond));
      for (; sent < should; sent++) {
        const shot = shots[sent];
        if (shot) due.push({ shot, at: begun + (sent / perSecond) * 1000 });
      }
      serve();
      if (sent >= shots.length) clearInterval(timer);
    }, 2);
  });
  return figures(times, failed, (performance.now() - begun) / 1000);
}

export const shown = (name: string, { count, failed, perSecond, p50, p99 }: Figures): string =>
  `${name.padEnd(46)} ${String(count).padStart(6)} ok ${String(failed).padStart(4)} failed  ${perSecond.toFixed(0).padStart(6)}/s  p50 ${p50.toFixed(2).padStart(7)} ms  p99 ${p99.toFixed(2).padStart(7)} ms`;

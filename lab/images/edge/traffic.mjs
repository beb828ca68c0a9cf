// What went through the edge in the last two hours, as Nginx's log tells it: the figures of the analytics.
import { createSocket } from "node:dgram";

const keptMs = 2 * 3_600_000;

/**
 * One second's requests that are alike.
 * @typedef {{at: number, host: string, status: number, cache: string, blocked: boolean, count: number, bytes: number}} Row
 */

export class Traffic {
  constructor() {
    /** @type {Map<string, Row>} */
    this.rows = new Map();
  }

  /** @param {string} text one line of Nginx's log, with or without syslog's head @param {number} [now] */
  add(text, now = Date.now()) {
    const start = text.indexOf("{");
    if (start < 0) return;
    let line;
    try {
      line = JSON.parse(text.slice(start));
    } catch {
      // A datagram was cut off.
      return;
    }
    const blocked = line.blocked === "1";
    const cache = blocked ? "none" : String(line.cache).toLowerCase();
    const at = Math.floor(now / 1000) * 1000;
    const key = [at, line.host, line.status, cache, blocked].join(" ");
    const row = this.rows.get(key) ?? {
      at,
      host: String(line.host),
      status: Number(line.status),
      cache,
      blocked,
      count: 0,
      bytes: 0,
    };
    row.count += 1;
    row.bytes += Number(line.bytes);
    this.rows.set(key, row);
    // Oldest first: what was set first comes first.
    for (const [oldest, { at: then }] of this.rows) {
      if (then >= now - keptMs) break;
      this.rows.delete(oldest);
    }
  }

  /** @param {number} port where Nginx sends its log */
  listen(port) {
    createSocket("udp4")
      .on("message", (message) => this.add(message.toString("utf8")))
      .bind(port, "127.0.0.1");
  }

  all() {
    return [...this.rows.values()];
  }

  clear() {
    this.rows.clear();
  }
}

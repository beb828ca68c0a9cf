// Varnish that dials in (varnishd -M): a listener per node, and its connection until a command takes it.
import { createServer, type Server, type Socket } from "node:net";
import { AppError, toAppError } from "../../errors/app-error";
import { singleton } from "../../runtime/singleton";
import { codeOf } from "../wire-error";
import type { CliFrame } from "./cli-frame";

export type Ask = (line: string | null, signal?: AbortSignal) => Promise<CliFrame>;
/** A connection whose CLI has let us in. */
export type Session = { readonly socket: Socket; readonly banner: string; readonly ask: Ask };
/** Reads a fresh connection's greeting and gives our secret, with its last newline or without; closes it when that fails. */
export type Greet = (socket: Socket, newline: boolean, signal: AbortSignal) => Promise<Session>;

/** varnishd tries again about each second. */
const dialMs = 10_000;
const greetMs = 10_000;
/** Connections that have not let us in yet; more are closed at once. */
const mostGreeted = 4;

type Waiter = { readonly resolve: (session: Session) => void; readonly reject: (error: AppError) => void };

class Door {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #waiters = new Set<Waiter>();
  #greeted = 0;
  #ready: Session | null = null;
  #newline = true;
  #refusals = 0;
  #failure: AppError | null = null;

  constructor(
    readonly node: string,
    readonly address: string,
    private readonly greet: Greet,
  ) {
    this.#server = createServer((socket) => void this.#meet(socket));
  }

  /** Begins to listen. Throws AppError UNREACHABLE; `take` throws the same from then on. */
  async open(): Promise<void> {
    const at = this.address.lastIndexOf(":");
    const host = this.address.slice(0, at).replace(/^\[|\]$/g, "");
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once("error", reject);
        this.#server.listen({ host, port: Number(this.address.slice(at + 1)) }, () => {
          this.#server.off("error", reject);
          this.#server.on("error", () => {});
          resolve();
        });
      });
    } catch (error) {
      const reason = codeOf(error) || "?";
      this.#failure = new AppError(
        "UNREACHABLE",
        `Sluice cannot listen on ${this.address} for ${this.node} (${reason}).`,
        {
          problem: "varnish.notListening",
          params: { node: this.node, address: this.address, reason },
          cause: error,
        },
      );
      throw this.#failure;
    }
  }

  /** The connection that waits, or the next one. Throws AppError UNREACHABLE, UPSTREAM_AUTH. */
  take(): Promise<Session> {
    if (this.#failure) return Promise.reject(this.#failure);
    const ready = this.#ready;
    this.#ready = null;
    if (ready) return Promise.resolve(ready);
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        resolve: (session) => {
          end();
          resolve(session);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      };
      const timer = setTimeout(() => waiter.reject(notDialled(this.node, this.address)), dialMs);
      this.#waiters.add(waiter);
    });
  }

  /** Closes the listener and every connection that came by it. */
  async close(): Promise<void> {
    for (const waiter of [...this.#waiters]) waiter.reject(notDialled(this.node, this.address));
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #meet(socket: Socket): Promise<void> {
    socket.on("error", () => {});
    if (this.#greeted >= mostGreeted) return void socket.destroy();
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (this.#ready?.socket === socket) this.#ready = null;
    });
    // Of a machine that went away without a word.
    socket.setKeepAlive(true, greetMs);
    const newline = this.#newline;
    this.#greeted += 1;
    try {
      this.#give(await this.greet(socket, newline, AbortSignal.timeout(greetMs)));
    } catch (thrown) {
      socket.destroy();
      const error = toAppError(thrown);
      // A stranger is no news; varnishd that does not take the secret dials again, and gets it in its other form.
      if (error.code === "UPSTREAM_AUTH") this.#refused(error, newline);
    } finally {
      this.#greeted -= 1;
    }
  }

  #give(session: Session): void {
    this.#refusals = 0;
    if (session.socket.destroyed) return;
    const [waiter] = this.#waiters;
    if (waiter) waiter.resolve(session);
    else {
      // varnishd keeps one connection: when it dials again, the one before is dead.
      this.#ready?.socket.destroy();
      this.#ready = session;
    }
  }

  #refused(error: AppError, newline: boolean): void {
    this.#newline = !newline;
    this.#refusals += 1;
    if (this.#refusals >= 2) for (const waiter of [...this.#waiters]) waiter.reject(error);
  }
}

const notDialled = (node: string, address: string) =>
  new AppError("UNREACHABLE", `${node} has not dialled in to ${address}: varnishd needs -M.`, {
    problem: "varnish.notDialled",
    params: { node, address },
  });

const doors = () => singleton("systems.varnish.doors", () => new Map<string, Door>());

/** The connection of a node that dials in; waits up to 10 s for it. Throws AppError UNREACHABLE, UPSTREAM_AUTH. */
export async function dialledIn(node: string, address: string): Promise<Session> {
  const door = doors().get(node);
  if (!door) throw notDialled(node, address);
  return door.take();
}

/** Listens for a node, at host:port. Throws AppError UNREACHABLE when the address cannot be had. */
export async function openDoor(node: string, address: string, greet: Greet): Promise<void> {
  await closeDoor(node);
  const door = new Door(node, address, greet);
  doors().set(node, door);
  await door.open();
}

/** Ends listening for a node, and its connection. */
export async function closeDoor(node: string): Promise<void> {
  const door = doors().get(node);
  doors().delete(node);
  await door?.close();
}

// Connections to a Docker socket on another host, all through one SSH connection that is kept.
import { Agent } from "node:http";
import type { Duplex } from "node:stream";
import { Client } from "ssh2";
import { AppError } from "../../errors/app-error";
import type { DockerEngine } from "./target";

/**
 * An HTTP agent whose connections are channels to the remote socket (direct-streamlocal@openssh.com, OpenSSH's PROTOCOL 2.4):
 * no docker command is needed there, and sshd's MaxSessions does not count them. dockerode's own way opens a whole SSH
 * connection for each request.
 */
export class SshAgent extends Agent {
  readonly #engine: DockerEngine;
  #connecting: Promise<Client> | null = null;

  constructor(engine: DockerEngine) {
    super({ keepAlive: false });
    this.#engine = engine;
  }

  override createConnection(
    _options: unknown,
    done?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const path = decodeURIComponent(new URL(this.#engine.url ?? "").pathname);
    this.#client()
      .then((client) => {
        client.openssh_forwardOutStreamLocal(
          path.length > 1 ? path : "/var/run/docker.sock",
          (error, channel) => {
            // The types want a stream even with an error; Node looks at the error first.
            if (error) done?.(this.#refused(error), undefined as unknown as Duplex);
            else done?.(null, channel);
          },
        );
      })
      .catch((error: unknown) => done?.(error as Error, undefined as unknown as Duplex));
    return undefined;
  }

  override destroy(): void {
    super.destroy();
    void this.#connecting?.then((client) => client.end()).catch(() => {});
    this.#connecting = null;
  }

  #client(): Promise<Client> {
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  #connect(): Promise<Client> {
    const { url, key, host_key, timeout } = this.#engine;
    const { hostname, port, username } = new URL(url ?? "");
    return new Promise<Client>((resolve, reject) => {
      const client = new Client();
      let ready = false;
      const gone = (error: Error | null) => {
        this.#connecting = null;
        if (!ready) reject(this.#refused(error ?? new Error("the connection was closed")));
      };
      client
        .once("ready", () => {
          ready = true;
          resolve(client);
        })
        .on("error", gone)
        .once("close", () => gone(null))
        .connect({
          host: hostname.replace(/^\[|\]$/g, ""),
          port: Number(port || 22),
          username: decodeURIComponent(username) || "root",
          ...(key === undefined ? {} : { privateKey: key }),
          readyTimeout: timeout,
          keepaliveInterval: 15_000,
          keepaliveCountMax: 3,
          hostHash: "sha256",
          // Never trusted at first sight: whoever answers in its place would get the engine's power, and ours.
          hostVerifier: (hash: string) => fingerprint(hash) === host_key?.replace(/=+$/, ""),
        });
    });
  }

  #refused(error: Error): AppError {
    const { name, url } = this.#engine;
    const wrongKey = /host denied|verification failed/i.test(error.message);
    const reason = error.message.slice(0, 200);
    return wrongKey
      ? new AppError(
          "REFUSED",
          `${url} has another host key than host_key says: look why before you change it.`,
          {
            problem: "docker.hostKey",
            params: { system: name, socket: url ?? "" },
            cause: error,
          },
        )
      : new AppError("UNREACHABLE", `SSH to ${url}: ${reason}`, {
          problem: "docker.ssh",
          params: { system: name, socket: url ?? "", reason },
          cause: error,
        });
  }
}

/** ssh2 gives hexadecimal; people read what ssh-keygen prints. */
const fingerprint = (hex: string): string =>
  `SHA256:${Buffer.from(hex, "hex").toString("base64").replace(/=+$/, "")}`;

// Where an engine is and how it is reached.

/** One engine, as sluice.yaml has it. */
export type DockerEngine = {
  readonly name: string;
  /** Path of its socket, where it has no `url`. */
  readonly socket: string;
  /** "tcp://host:2376" (with TLS where `ca`, `cert` or `key` are given) or "ssh://user@host:22/path/of/docker.sock". */
  readonly url?: string | undefined;
  /** PEM texts. For SSH, `key` is the private key. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** SSH: SHA256 fingerprint of the host's key, "SHA256:…" as ssh-keygen -lf prints it. */
  readonly host_key?: string | undefined;
  /** Milliseconds for one call. */
  readonly timeout: number;
};

/** Whether TLS is spoken with an engine that has a `url`. */
export const usesTls = ({ url, ca, cert, key }: DockerEngine): boolean =>
  ca !== undefined || cert !== undefined || key !== undefined || url?.startsWith("https:") === true;

/** The port of a `url` that is not SSH; Docker's own where it names none. */
export const portOf = (engine: DockerEngine & { readonly url: string }): number =>
  Number(new URL(engine.url).port || (usesTls(engine) ? 2376 : 2375));

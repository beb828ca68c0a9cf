// A MariaDB (or MySQL) server, and perhaps an account there.

/** One server, as sluice.yaml has it. */
export type MariadbServer = {
  readonly name: string;
  /** host:port */
  readonly address: string;
  /** An account there: with it the server's own figures are read. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Milliseconds to connect, and to greet. */
  readonly timeout: number;
};

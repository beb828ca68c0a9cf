// One repository, and how it is reached.

export type ResticRepository = {
  readonly name: string;
  /** Restic's own address: "/srv/backups", "sftp:user@host:/path", "rest:https://host/", "s3:https://host/bucket", "b2:bucket:path". */
  readonly repository: string;
  readonly password?: string | undefined;
  /** Program and arguments; the first line of what it prints is the password. */
  readonly password_command?: readonly string[] | undefined;
  /** Keys of the storage, by the names that restic reads: AWS_ACCESS_KEY_ID, B2_ACCOUNT_KEY … */
  readonly env: Readonly<Record<string, string>>;
  /** Path of a PEM file with the authority that signed the server's certificate. */
  readonly cacert?: string | undefined;
  /** Milliseconds for one short command. */
  readonly timeout: number;
  /** Name or path of the program. */
  readonly binary: string;
  /** Folder where restic keeps its cache: without one each click reads the index over the network. */
  readonly cache: string;
};

// What a configuration file of Traefik can be told to have wrong, and where.

/**
 * What Traefik makes of it. "rejected": it takes nothing of the whole directory, keeps what it had, and has nothing after a restart.
 * "disabled": the router, service or middleware is out of service, and the requests of a router fall to the next one. "ignored": what
 * is written here is as if it were not. "none": Traefik takes it.
 */
export type Effect = "rejected" | "disabled" | "ignored" | "none";
export type Params = Readonly<Record<string, string | number>>;

/** A part of a file, in UTF-16 units from its start. */
export type Place = { readonly file: string; readonly start: number; readonly end: number };

/** Lines and columns count from 1; the end is the first column behind. `code`: a key under messages `routing.validation`. */
export type Problem = {
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly code: string;
  readonly params: Params;
  readonly effect: Effect;
};

/** Takes what is found. Without a severity: what is rejected or disabled is an error, the rest a warning. */
export type Tell = (
  at: Place,
  effect: Effect,
  code: string,
  params?: Params,
  severity?: Problem["severity"],
) => void;

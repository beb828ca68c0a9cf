// Addresses of the pages for Traefik's files. What is opened: a revision's number, or "now" for what lies there.

export const editAddress = (traefik: string, revision?: number): string =>
  `/routing/edit?${new URLSearchParams({ traefik, ...(revision === undefined ? {} : { revision: String(revision) }) })}`;

export const actsAddress = (traefik: string, act: string): string =>
  `/routing/acts?${new URLSearchParams({ traefik, act })}`;

export const revisionsAddress = (traefik: string): string =>
  `/routing/revisions?${new URLSearchParams({ traefik })}`;

export const compareAddress = (traefik: string, before: number | "now", after: number | "now"): string =>
  `/routing/revisions?${new URLSearchParams({ traefik, before: String(before), after: String(after) })}`;

/** The list of revisions with the question whether this one shall be put in force. */
export const applyAddress = (traefik: string, number: number): string =>
  `/routing/revisions?${new URLSearchParams({ traefik, apply: String(number) })}`;

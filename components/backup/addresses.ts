// Addresses of the room of backups, and how names of files are written there.

export const repositoryAddress = (repository: string): string =>
  `/backups?${new URLSearchParams({ repository })}`;

export const folderAddress = (repository: string, snapshot: string, path: string): string => {
  const page = `/backups/${encodeURIComponent(repository)}/${snapshot}`;
  return path === "/" ? page : `${page}?${new URLSearchParams({ path })}`;
};

export const fileHistoryAddress = (repository: string, path: string): string =>
  `/backups/${encodeURIComponent(repository)}/history?${new URLSearchParams({ path })}`;

export const differenceAddress = (repository: string, before: string, after: string, path: string): string =>
  `/backups/${encodeURIComponent(repository)}/difference?${new URLSearchParams({ before, after, path })}`;

export const downloadAddress = (
  repository: string,
  snapshot: string,
  path: string,
  archive?: "tar" | "zip",
): string =>
  `/api/v1/backup/file?${new URLSearchParams({ repository, snapshot, path, ...(archive === undefined ? {} : { archive }) })}`;

export const childOf = (path: string, name: string): string =>
  path === "/" ? `/${name}` : `${path}/${name}`;

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf("/")) || "/";

/** A name with control characters (a newline) as signs that can be seen. */
export const shownName = (name: string): string =>
  name.replace(/\p{Cc}/gu, (one) => {
    const code = one.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : "\u2421";
  });

/** Bytes of it are no UTF-8: restic tells such a name, but does not find it by that. */
export const isForeign = (name: string): boolean => name.includes("\uFFFD");

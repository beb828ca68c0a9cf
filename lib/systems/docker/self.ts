// Which container Sluice itself runs in.
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/**
 * The id of our own container, or null outside of one. Docker mounts a container's hostname and hosts files from
 * …/containers/<id>/, which stands in mountinfo whatever the cgroup version; a host name of 12 hexadecimal digits is only its
 * default.
 */
export function ownContainer(mounts: string | null = mountInfo(), host = hostname()): string | null {
  const found = /\/containers\/([0-9a-f]{64})\/(?:hostname|hosts|resolv\.conf)\s/.exec(mounts ?? "")?.[1];
  return found ?? (/^[0-9a-f]{12}$/.test(host) ? host : null);
}

/** Whether `id` (64 hexadecimal digits) is the container that `own` names. */
export const isOwn = (id: string, own: string | null): boolean => own !== null && id.startsWith(own);

function mountInfo(): string | null {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return null;
  }
}

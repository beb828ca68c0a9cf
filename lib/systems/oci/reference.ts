// Names of images: "nginx", "ghcr.io/team/app:1.2", "registry:5000/app@sha256:…" (the grammar of distribution/reference).
import { AppError } from "../../errors/app-error";

export type ImageReference = {
  /** host[:port]; "docker.io" for Docker Hub. */
  readonly registry: string;
  /** "library/nginx" for Docker Hub's official ones. */
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: string | null;
};

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const domain =
  /^(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::\d{1,5})?$|^\[[0-9a-fA-F:]+\](?::\d{1,5})?$/;
export const tagPattern = /^\w[\w.-]{0,127}$/;
export const digestPattern = /^sha256:[0-9a-f]{64}$/;

const refuse = (problem: string, message: string, image: string) =>
  new AppError("INVALID_INPUT", message, { problem, params: { image: image.slice(0, 120) }, field: "image" });

/** Reads an image's name; without tag and digest it is "latest". Throws AppError INVALID_INPUT saying which part is wrong. */
export function parseReference(text: string): ImageReference {
  const [name = "", digest, ...more] = text.trim().split("@");
  if (more.length > 0 || (digest !== undefined && !digestPattern.test(digest)))
    throw refuse(
      "oci.badDigest",
      `${text.slice(0, 120)}: a digest is sha256: and 64 hexadecimal digits.`,
      text,
    );
  const slash = name.lastIndexOf("/");
  const colon = name.indexOf(":", slash + 1);
  const path = colon === -1 ? name : name.slice(0, colon);
  const tag = colon === -1 ? null : name.slice(colon + 1);
  if (tag !== null && !tagPattern.test(tag))
    throw refuse(
      "oci.badTag",
      `${text.slice(0, 120)}: a tag has letters, digits, . _ and -, at most 128.`,
      text,
    );
  const [first = "", ...rest] = path.split("/");
  // The first part is a host only if it looks like one; else it is a part of Docker Hub's name.
  const hosted =
    rest.length > 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const parts = hosted ? rest : [first, ...rest];
  if (hosted && !domain.test(first))
    throw refuse(
      "oci.badRegistry",
      `${first.slice(0, 120)} is no address of a registry: host or host:port.`,
      text,
    );
  if (parts.length === 0 || parts.some((part) => !component.test(part)) || path.length > 255)
    throw refuse(
      "oci.badRepository",
      `${text.slice(0, 120)}: a repository has lower-case letters, digits, . _ - and /.`,
      text,
    );
  const hub = !hosted || first === "docker.io" || first === "index.docker.io";
  return {
    registry: hub ? "docker.io" : first,
    repository: hub && parts.length === 1 ? `library/${parts[0]}` : parts.join("/"),
    tag: tag ?? (digest === undefined ? "latest" : null),
    digest: digest ?? null,
  };
}

/** The name as docker shows it: without docker.io and library. */
export function familiarName({
  registry,
  repository,
}: Pick<ImageReference, "registry" | "repository">): string {
  if (registry !== "docker.io") return `${registry}/${repository}`;
  return repository.replace(/^library\//, "");
}

export function formatReference(one: ImageReference): string {
  return `${familiarName(one)}${one.tag === null ? "" : `:${one.tag}`}${one.digest === null ? "" : `@${one.digest}`}`;
}

type Version = { readonly shape: string; readonly numbers: readonly number[]; readonly early: boolean };

/** A tag as a version, or null: "v1.27.3-alpine" has the shape "v#.#.#-alpine". */
function versionOf(tag: string): Version | null {
  const match = /^(?<prefix>v?)(?<numbers>\d+(?:\.\d+)*)(?<rest>.*)$/.exec(tag);
  const { prefix = "", numbers = "", rest = "" } = match?.groups ?? {};
  if (match === null) return null;
  const parts = numbers.split(".").map(Number);
  const early = /(?:^|[-._])?(?:rc|alpha|beta|dev|pre|snapshot|nightly|canary)[-._]?\d*/i.test(rest);
  // The number of a release candidate is no part of the shape: rc2 follows rc1.
  return { shape: `${prefix}${parts.map(() => "#").join(".")}${early ? "~" : rest}`, numbers: parts, early };
}

/**
 * The tags that are newer versions than `current`, newest first: of the same shape only, so that 1.27-alpine is followed by
 * 1.28-alpine and not by 1.28; release candidates only for who runs one. None for a tag that is no version ("latest").
 */
export function newerTags(current: string, all: readonly string[]): string[] {
  const own = versionOf(current);
  if (own === null) return [];
  return all
    .flatMap((tag) => {
      const version = versionOf(tag);
      return version !== null && version.shape === own.shape && compare(version, own) > 0
        ? [{ tag, version }]
        : [];
    })
    .sort((a, b) => compare(b.version, a.version))
    .map(({ tag }) => tag);
}

function compare(a: Version, b: Version): number {
  for (const [index, number] of a.numbers.entries()) {
    const other = b.numbers[index] ?? 0;
    if (number !== other) return number - other;
  }
  return 0;
}

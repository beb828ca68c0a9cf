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
/** What Docker takes (opencontainers/go-digest): other algorithms and lengths are refused there too. */
export const digestPattern = /^(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
/** Docker reads 64 hexadecimal digits as an image's id, never as a name. */
const idPattern = /^[0-9a-f]{64}$/;

/** Whether it is a repository's name, without registry and tag: safe to stand in an address. */
export const isRepository = (text: string): boolean =>
  text.length <= 255 && text.split("/").every((part) => component.test(part));

/** The first part of a name is a host only if it looks like one; else it is a part of Docker Hub's name. */
const looksLikeHost = (first: string): boolean =>
  /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();

const refuse = (problem: string, message: string, image: string) =>
  new AppError("INVALID_INPUT", message, { problem, params: { image: image.slice(0, 120) }, field: "image" });

/** Reads an image's name; without tag and digest it is "latest". Throws AppError INVALID_INPUT saying which part is wrong. */
export function parseReference(text: string): ImageReference {
  const [name = "", digest, ...more] = text.trim().split("@");
  if (more.length > 0 || (digest !== undefined && !digestPattern.test(digest)))
    throw refuse(
      "oci.badDigest",
      `${text.slice(0, 120)}: a digest is sha256: and 64 hexadecimal digits (or sha384: and 96, sha512: and 128).`,
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
  const hosted = rest.length > 0 && looksLikeHost(first);
  const parts = hosted ? rest : [first, ...rest];
  if (hosted && !domain.test(first))
    throw refuse(
      "oci.badRegistry",
      `${first.slice(0, 120)} is no address of a registry: host or host:port.`,
      text,
    );
  if (!isRepository(parts.join("/")) || path.length > 255 || idPattern.test(path))
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

/** The name as docker shows it: without docker.io and library, unless it would be read as another one then. */
export function familiarName({
  registry,
  repository,
}: Pick<ImageReference, "registry" | "repository">): string {
  if (registry !== "docker.io") return `${registry}/${repository}`;
  const [first = "", second, ...rest] = repository.split("/");
  const official = first === "library" && second !== undefined && rest.length === 0;
  const short = official ? second : repository;
  // docker.io/localhost/app is not localhost/app.
  const another = idPattern.test(short) || (!official && second !== undefined && looksLikeHost(first));
  return another ? `docker.io/${repository}` : short;
}

/** The shortest text that `parseReference` reads as the same image. */
export function formatReference(one: ImageReference): string {
  return `${familiarName(one)}${one.tag === null ? "" : `:${one.tag}`}${one.digest === null ? "" : `@${one.digest}`}`;
}

type Version = {
  readonly shape: string;
  /** A tag's numbers may have more digits than a Number keeps (20240102030405060708). */
  readonly numbers: readonly bigint[];
};

/** Words for what is not released yet, the earliest first. */
const earlyWords = [
  ["dev", "snapshot", "nightly", "canary"],
  ["alpha", "a"],
  ["beta", "b"],
  ["m", "milestone", "ea", "pre", "preview"],
  ["rc", "cr"],
] as const;
/** Whole words only: there is an rc in archlinux and a pre in express. */
const earlyPattern =
  /(?:^|[-._])(?<word>dev|snapshot|nightly|canary|alpha|beta|milestone|ea|preview|pre|rc|cr)(?:[-._]?(?<number>\d+))?(?=$|[-._])/i;
/** One letter says it only with a number: 3.14.0a1, 6.0-M2. "-b08" is a build, not a beta. */
const earlyLetter = /^(?:(?<word>[ab])(?<number>\d+)|[-.](?<milestone>m)(?<of>\d+))(?=$|[-._])/i;

/** A tag as a version, or null: "v1.27.3-alpine" has the shape "v#.#.#-alpine". */
function versionOf(tag: string): Version | null {
  const match = /^(?<prefix>v?)(?<numbers>\d+(?:\.\d+)*)(?<rest>.*)$/.exec(tag);
  if (match === null) return null;
  const { prefix = "", numbers = "", rest = "" } = match.groups ?? {};
  const parts = numbers.split(".");
  // Eight digits are a day: 20240923 does not follow 3.
  const shape = prefix + parts.map((part) => (part.length < 8 ? "#" : "########")).join(".");
  const early = earlyLetter.exec(rest) ?? earlyPattern.exec(rest);
  if (early === null) return { shape: shape + rest, numbers: parts.map(BigInt) };
  const { word, number, milestone, of } = early.groups ?? {};
  const said = (word ?? milestone ?? "").toLowerCase();
  const rank = earlyWords.findIndex((words) => words.some((one) => one === said));
  return {
    // Which candidate it is belongs to the version, not to the shape: rc2 follows rc1, and beta3.
    shape: `${shape}~${rest.slice(0, early.index)}${rest.slice(early.index + early[0].length)}`,
    numbers: [...parts.map(BigInt), BigInt(rank), BigInt(number ?? of ?? 0)],
  };
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
    const other = b.numbers[index] ?? 0n;
    if (number !== other) return number > other ? 1 : -1;
  }
  return 0;
}

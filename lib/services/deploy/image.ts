// The image that somebody asked for: looked up in its registry or on the host, with what it would change.
import { AppError, toAppError } from "../../errors/app-error";
import { type ImageDetail, inspectImage } from "../../systems/docker/images";
import {
  familiarName,
  formatReference,
  newerTags,
  parseReference,
  tagPattern,
} from "../../systems/oci/reference";
import { imageDetail, listTags } from "../../systems/oci/registry";
import { registryFor, registryProblem } from "../registries";
import { services } from "../service";
import type { DeployChoices, ImageTarget } from "./contract";

/** The whole name of what was asked for: "1.28" or ":1.28" is a tag of what runs now. */
export function wantedImage(asked: string, current: string): string {
  const tag = asked.replace(/^:/, "");
  const known = parsedOrNull(current);
  const isTag = asked.startsWith(":") || (/^v?\d/.test(asked) && tagPattern.test(asked));
  if (isTag && known !== null) return formatReference({ ...known, tag, digest: null });
  return asked;
}

const parsedOrNull = (image: string) => {
  try {
    return image.startsWith("sha256:") ? null : parseReference(image);
  } catch {
    return null;
  }
};

export type Given = {
  readonly env: readonly string[] | null;
  readonly labels: Readonly<Record<string, string>> | null;
};
export const givenBy = (image: ImageDetail | null): Given => ({
  env: image?.Config?.Env ?? null,
  labels: image?.Config?.Labels ?? (image === null ? null : {}),
});

function changesIn(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === now) return [];
    const what =
      old === undefined
        ? ("added" as const)
        : now === undefined
          ? ("removed" as const)
          : ("changed" as const);
    return [{ name, what }];
  });
}

const envMap = (env: readonly string[] | null) =>
  new Map((env ?? []).map((one) => [one.split("=", 1)[0] ?? "", one] as const));

/** What another image brings or takes, by name. */
export const imageChangesOf = (before: Given, after: Given) => ({
  env: after.env === null ? null : changesIn(envMap(before.env), envMap(after.env)),
  labels: after.labels === null ? null : changesIn(labelMap(before), labelMap(after)),
});
const labelMap = ({ labels }: Given) => new Map(Object.entries(labels ?? {}));

export type AskedImage = { readonly to: ImageTarget; readonly given: Given };

export const fromHost = (image: string, local: ImageDetail): AskedImage => ({
  to: {
    image,
    imageId: local.Id,
    digest: local.RepoDigests?.[0]?.split("@")[1] ?? null,
    platformDigest: null,
    size: local.Size ?? null,
    createdAt: isoOrNull(local.Created),
    local: true,
    pull: null,
  },
  given: givenBy(local),
});

const isoOrNull = (text: string | null | undefined): string | null => {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? null : new Date(at).toISOString();
};

/** What the registry has; when it has nothing, or does not answer, what the host has under that name. */
export async function askedImage(
  hostName: string,
  image: string,
  old: ImageDetail | null,
  signal: AbortSignal,
): Promise<AskedImage> {
  const reference = parseReference(image);
  const { engine } = services().host(hostName);
  const platform = {
    os: old?.Os ?? "linux",
    architecture: old?.Architecture ?? "amd64",
    variant: old?.Variant ?? null,
  };
  try {
    const there = await imageDetail(
      registryFor(reference),
      reference.repository,
      reference.digest ?? reference.tag ?? "latest",
      platform,
      signal,
    );
    const { env, labels, ...known } = there;
    return { to: { ...known, image, local: false, pull: null }, given: { env, labels } };
  } catch (error) {
    // Built on the host, or its registry is away: then what is here is what can be deployed.
    const local = await inspectImage(engine, image);
    if (local === null) throw atImage(error);
    return fromHost(image, local);
  }
}

function atImage(error: unknown): AppError {
  const known = toAppError(error);
  return new AppError(known.code, known.message, { ...known.detail, field: "image", cause: error });
}

const maxChoices = 200;

/** A repository's tags, newer ones first. A registry that does not answer leaves the list empty, and says why. */
export async function tagChoices(
  image: string,
  signal?: AbortSignal,
): Promise<Omit<DeployChoices, "earlier">> {
  const none = { image, tags: [], newer: [], whole: true };
  const reference = parsedOrNull(image);
  if (reference === null) return { ...none, problem: { problem: "oci.pinned", params: {} } };
  try {
    const { tags, whole } = await listTags(registryFor(reference), reference.repository, 5000, signal);
    const newer = newerTags(reference.tag ?? "", tags);
    const others = tags
      .filter((tag) => !newer.includes(tag))
      .sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
    return {
      ...none,
      image: familiarName(reference),
      tags: [...newer, ...others].slice(0, maxChoices),
      newer: newer.slice(0, maxChoices),
      whole: whole && tags.length <= maxChoices,
      problem: null,
    };
  } catch (error) {
    return { ...none, image: familiarName(reference), problem: registryProblem(error, reference) };
  }
}

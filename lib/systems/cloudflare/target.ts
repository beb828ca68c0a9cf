// What Cloudflare can be asked to purge, checked before it is sent and cut into calls of the allowed size.
import * as z from "zod";
import { AppError } from "../../errors/app-error";

/** The only request headers that Cloudflare keeps variants by. */
export const variantHeaders = ["CF-Device-Type", "CF-IPCountry", "Accept-Language", "Origin"] as const;
const oneLine = /^[\x20-\x7e]+$/;
const url = z
  .url({ protocol: /^https?$/ })
  .max(4096)
  .regex(/^[\x21-\x7e]+$/);
const file = z.union([
  url,
  z.strictObject({
    url,
    headers: z.partialRecord(z.enum(variantHeaders), z.string().max(1000).regex(oneLine)),
  }),
]);
const host = z
  .string()
  .max(253)
  .regex(/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i);
const prefix = z
  .string()
  .max(4096)
  .regex(/^[a-z0-9_][a-z0-9_.-]*(\/[\x21-\x7e]*)?$/i)
  .regex(/^[^?#]*$/);
const tag = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[\x21-\x7e]+$/)
  .regex(/^[^,]*$/);

export const cloudflareTarget = z.union([
  z.strictObject({ files: z.array(file).min(1) }),
  z.strictObject({ prefixes: z.array(prefix).min(1) }),
  z.strictObject({ hosts: z.array(host).min(1) }),
  z.strictObject({ tags: z.array(tag).min(1) }),
  z.strictObject({ everything: z.literal(true) }),
]);
/** One way to purge: files are whole addresses (or with variant headers), prefixes have no scheme and no query. */
export type CloudflareTarget = z.infer<typeof cloudflareTarget>;

/** The target as given, or AppError INVALID_INPUT that names the item. */
export function checkTarget(target: unknown): CloudflareTarget {
  const checked = cloudflareTarget.safeParse(target);
  if (checked.success) return checked.data;
  // A union tells of every branch: take the one for the way that was asked.
  const way = typeof target === "object" && target !== null ? Object.keys(target)[0] : undefined;
  const schema = cloudflareTarget.options.find((option) => way !== undefined && way in option.shape);
  const issue = schema?.safeParse(target).error?.issues[0] ?? checked.error.issues[0];
  const field = issue?.path.join(".") ?? "";
  throw new AppError(
    "INVALID_INPUT",
    `Cloudflare would not take this${field ? ` (${field})` : ""}: ${issue?.message ?? "not a purge"}.`,
    {
      problem: "cloudflare.target",
      params: { item: field },
      ...(field === "" ? {} : { field }),
    },
  );
}

const itemsPerCall = 100;

const chunks = <T>(list: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, index) =>
    list.slice(index * size, (index + 1) * size),
  );

/** The target as calls: `urlsPerCall` files each, 100 of anything else. */
export function calls(target: CloudflareTarget, urlsPerCall: number): CloudflareTarget[] {
  if ("files" in target) return chunks(target.files, urlsPerCall).map((files) => ({ files }));
  if ("prefixes" in target) return chunks(target.prefixes, itemsPerCall).map((prefixes) => ({ prefixes }));
  if ("hosts" in target) return chunks(target.hosts, itemsPerCall).map((hosts) => ({ hosts }));
  if ("tags" in target) return chunks(target.tags, itemsPerCall).map((tags) => ({ tags }));
  return [target];
}

/** How many items a target names; everything counts as one. */
export function sizeOf(target: CloudflareTarget): number {
  if ("files" in target) return target.files.length;
  if ("prefixes" in target) return target.prefixes.length;
  if ("hosts" in target) return target.hosts.length;
  if ("tags" in target) return target.tags.length;
  return 1;
}

// Alertmanager's API v2: the alerts it holds, and its silences (facts: github.com/prometheus/alertmanager, api/v2/openapi.yaml).
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import type { Answer } from "../exchange";
import { call, type JsonApi, notProduct, read, shaped } from "../json-api";

const product = "Alertmanager";
const words = z.record(z.string(), z.string());
const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());

const heldAlert = z.object({
  fingerprint: z.string(),
  labels: words,
  annotations: words.default({}),
  startsAt: moment,
  status: z.object({
    state: z.enum(["active", "suppressed", "unprocessed"]),
    silencedBy: z.array(z.string()),
    inhibitedBy: z.array(z.string()),
  }),
});
export type HeldAlert = z.infer<typeof heldAlert>;

const matcher = z.object({
  name: z.string(),
  value: z.string(),
  isRegex: z.boolean(),
  // Alertmanager before 0.22 knows no other.
  isEqual: z.boolean().default(true),
});
const silence = z.object({
  id: z.string(),
  status: z.object({ state: z.enum(["active", "pending", "expired"]) }),
  matchers: z.array(matcher),
  startsAt: moment,
  endsAt: moment,
  createdBy: z.string(),
  comment: z.string(),
});
export type HeldSilence = z.infer<typeof silence>;
export type NewSilence = Pick<HeldSilence, "matchers" | "startsAt" | "endsAt" | "createdBy" | "comment">;

/** What it holds and has not seen resolved. Throws as `read` of json-api. */
export const heldAlerts = (api: JsonApi): Promise<HeldAlert[]> =>
  read(api, product, "/api/v2/alerts", z.array(heldAlert));

/** Those that ended a while ago too. Throws as `read` of json-api. */
export const heldSilences = (api: JsonApi): Promise<HeldSilence[]> =>
  read(api, product, "/api/v2/silences", z.array(silence));

const ofId = (id: string): string => `/api/v2/silence/${encodeURIComponent(id)}`;

function refused(api: JsonApi, answer: Answer): AppError {
  // It answers a mistake with a JSON string, older ones with an object.
  const says = shaped(answer, z.string()) ?? shaped(answer, z.object({ message: z.string() }))?.message;
  if (says === undefined || answer.status < 400) return notProduct(api, product, answer.status);
  return new AppError("REFUSED", `${api.name} refused the silence: ${says.slice(0, 300)}`, {
    problem: "alertmanager.refused",
    params: { system: api.name, says: says.slice(0, 300) },
  });
}

const gone = (api: JsonApi, id: string): AppError =>
  new AppError("NOT_FOUND", `${api.name} knows no silence ${id.slice(0, 60)}.`, {
    problem: "alertmanager.noSilence",
    params: { system: api.name, id: id.slice(0, 60) },
  });

/** Throws AppError NOT_FOUND, and as `read` of json-api. */
export async function findSilence(api: JsonApi, id: string, signal?: AbortSignal): Promise<HeldSilence> {
  const answer = await call(api, "GET", ofId(id), signal === undefined ? {} : { signal });
  // What is no UUID is 422 there.
  if (answer.status === 404 || answer.status === 422) throw gone(api, id);
  const told = answer.status === 200 ? shaped(answer, silence) : null;
  if (told === null) throw notProduct(api, product, answer.status);
  return told;
}

/** Makes one and returns its id. Throws AppError REFUSED, and as `read` of json-api. */
export async function addSilence(api: JsonApi, made: NewSilence, signal?: AbortSignal): Promise<string> {
  const answer = await call(api, "POST", "/api/v2/silences", {
    body: made,
    ...(signal === undefined ? {} : { signal }),
  });
  const told = answer.status === 200 ? shaped(answer, z.object({ silenceID: z.string().min(1) })) : null;
  if (told === null) throw refused(api, answer);
  return told.silenceID;
}

/** Ends one now; it stays known as expired. Throws AppError NOT_FOUND, REFUSED, and as `read` of json-api. */
export async function expireSilence(api: JsonApi, id: string, signal?: AbortSignal): Promise<void> {
  const answer = await call(api, "DELETE", ofId(id), signal === undefined ? {} : { signal });
  // 0.25 says 500 and "silence not found".
  if (
    answer.status === 404 ||
    answer.status === 422 ||
    shaped(answer, z.literal("silence not found")) !== null
  )
    throw gone(api, id);
  if (answer.status !== 200) throw refused(api, answer);
}

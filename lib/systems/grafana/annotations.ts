// Grafana's annotations: marks on the time line of its dashboards.
// Grafana 13 puts /apis beside /api and means to replace it: what that changes is this file.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import type { Answer } from "../exchange";
import { call, type JsonApi, notProduct, shaped } from "../json-api";

export type Annotation = {
  /** ms since the epoch; without an end it is a moment. */
  readonly time: number;
  readonly timeEnd?: number | undefined;
  readonly tags: readonly string[];
  /** HTML of the simple kind: Grafana takes the rest out. */
  readonly text: string;
};

const path = "/api/annotations";
const created = z.object({ id: z.int() });
const refusal = z.object({ message: z.string() });
const found = z.array(z.object({ id: z.int() }));

/** What is neither 200 nor a refused sign-in. */
function refused(grafana: JsonApi, answer: Answer): AppError {
  const says = shaped(answer, refusal)?.message.slice(0, 200);
  if (answer.status !== 400 && answer.status !== 422 && answer.status !== 409)
    return notProduct(grafana, "Grafana", answer.status);
  return new AppError("REFUSED", `${grafana.name} refuses an annotation: ${says ?? answer.status}.`);
}

/** Makes one for all dashboards and returns its id. Throws AppError REFUSED, UPSTREAM_AUTH, BAD_ANSWER, and as `exchange`. */
export async function createAnnotation(
  grafana: JsonApi,
  annotation: Annotation,
  signal?: AbortSignal,
): Promise<number> {
  const answer = await call(grafana, "POST", path, { body: annotation, ...(signal && { signal }) });
  const made = answer.status === 200 ? shaped(answer, created) : null;
  if (made === null) throw refused(grafana, answer);
  return made.id;
}

/** Writes one anew; false when it is not there any more. Throws as `createAnnotation`. */
export async function updateAnnotation(
  grafana: JsonApi,
  id: number,
  annotation: Annotation,
  signal?: AbortSignal,
): Promise<boolean> {
  const answer = await call(grafana, "PATCH", `${path}/${id}`, {
    body: annotation,
    ...(signal && { signal }),
  });
  if (answer.status === 404 && shaped(answer, refusal) !== null) return false;
  if (answer.status !== 200) throw refused(grafana, answer);
  return true;
}

/** The newest that has this tag, or null; also where the account may not read them. Throws as `exchange`. */
export async function findAnnotation(
  grafana: JsonApi,
  tag: string,
  signal?: AbortSignal,
): Promise<number | null> {
  const query = new URLSearchParams({ type: "annotation", limit: "1", tags: tag });
  try {
    const answer = await call(grafana, "GET", `${path}?${query}`, signal && { signal });
    return answer.status === 200 ? (shaped(answer, found)?.[0]?.id ?? null) : null;
  } catch (error) {
    if (error instanceof AppError && error.detail.params?.status === 403) return null;
    throw error;
  }
}

// Whether Traefik has a middleware, and how many requests it has answered: what proves a change of its configuration.
import { AppError } from "../../errors/app-error";
import { call, notProduct } from "../json-api";
import { metricsOf, type TraefikServer } from "./traefik";

/** Whether it has this HTTP middleware, named with its provider ("auth@file"). Throws AppError as `call`, and BAD_ANSWER. */
export async function hasMiddleware(
  server: TraefikServer,
  name: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const path = `/api/http/middlewares/${encodeURIComponent(name)}`;
  const { status } = await call(server, "GET", path, signal === undefined ? {} : { signal });
  if (status === 200) return true;
  if (status === 404) return false;
  throw notProduct(server, "Traefik", status);
}

/** Requests that its entry points have answered since it started, by status code. Throws AppError, NOT_CONFIGURED without `metrics`. */
export async function answeredByCode(server: TraefikServer): Promise<Map<string, number>> {
  if (server.metrics === undefined)
    throw new AppError("NOT_CONFIGURED", `No metrics are set for ${server.name}.`);
  const answered = new Map<string, number>();
  // It has no series before the first request.
  for (const { labels, value } of (await metricsOf(server, server.metrics)).get(
    "traefik_entrypoint_requests_total",
  ) ?? [])
    answered.set(labels.code ?? "", (answered.get(labels.code ?? "") ?? 0) + value);
  return answered;
}

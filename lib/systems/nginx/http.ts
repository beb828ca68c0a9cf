// Nginx's own cache: PURGE of one address as the module ngx_cache_purge understands it, and whether the server answers.
import { AppError, toAppError } from "../../errors/app-error";
import { exchange } from "../exchange";
import { look } from "../look";
import type { Probed } from "../system";

/** One server, as sluice.yaml has it. */
export type NginxSystem = { readonly name: string; readonly url: string; readonly timeout: number };

/** `count`: 1 when it was cached, 0 when it was not. */
export type NginxOutcome =
  | { readonly ok: true; readonly count: 0 | 1 }
  | { readonly ok: false; readonly error: AppError };

/** Removes one address from the cache. Its key must hold the public host and the address as they are. */
export async function purgeUrl(
  system: NginxSystem,
  target: { readonly host: string; readonly path: string },
  signal?: AbortSignal,
): Promise<NginxOutcome> {
  const params = { system: system.name };
  try {
    const { status } = await exchange({
      base: system.url,
      host: target.host,
      path: target.path,
      method: "PURGE",
      timeoutMs: system.timeout,
      signal,
      maxBytes: 64 * 1024,
    });
    if (status === 200) return { ok: true, count: 1 };
    // Older modules say 404, newer ones 412, of what was not cached.
    if (status === 404 || status === 412) return { ok: true, count: 0 };
    const refused = status === 401 || status === 403;
    const error = refused
      ? new AppError(
          "REFUSED",
          `${system.name} refuses PURGE: allow Sluice's address in fastcgi_cache_purge (or proxy_cache_purge).`,
          {
            problem: "nginx.refused",
            params: { ...params, status },
          },
        )
      : status >= 500
        ? new AppError("BAD_ANSWER", `${system.name} answered PURGE with ${status}.`, {
            problem: "nginx.answer",
            params: { ...params, status },
          })
        : new AppError(
            "REFUSED",
            `${system.name} does not purge (${status}): ngx_cache_purge is not set up for this address.`,
            {
              problem: "nginx.method",
              params: { ...params, status },
            },
          );
    return { ok: false, error };
  } catch (error) {
    return { ok: false, error: toAppError(error) };
  }
}

/** Whether it answers, and its version where it tells. */
export const probe = (system: NginxSystem): Promise<Probed> =>
  look(`nginx:${system.name}`, async () => {
    const { status, headers } = await exchange({
      base: system.url,
      path: "/",
      method: "HEAD",
      timeoutMs: system.timeout,
    });
    return { version: /nginx\/([\d.]+)/i.exec(headers.server ?? "")?.[1] ?? null, facts: { status } };
  });

// One look at a site as its visitors meet it, and at its origin, which no cache covers for.
import type { SiteConfig } from "../config/schema";
import { AppError, tellProblem } from "../errors/app-error";
import { exchange } from "../systems/exchange";
import { look } from "../systems/look";
import type { Probed } from "../systems/system";

const timeoutMs = 3000;
const maxRedirects = 3;
/** Both ways, each with its redirects. */
export const siteDeadlineMs = 2 * (maxRedirects + 1) * timeoutMs;

/** The status that a page ends with, over redirects within the site. Throws as `exchange`, and BAD_ANSWER for a 5xx. */
async function ask(base: string, host: string, first: string): Promise<number> {
  let path = first;
  for (let hop = 0; ; hop++) {
    const { status, headers } = await exchange({ base, host, path, timeoutMs });
    if (status >= 500)
      throw new AppError("BAD_ANSWER", `${base} answers ${status}.`, {
        problem: "site.failing",
        params: { address: new URL(base).origin, status },
      });
    const to = status >= 300 && status < 400 && hop < maxRedirects ? headers.location : undefined;
    if (to === undefined) return status;
    const next = new URL(to, `http://${host}${path}`);
    // Elsewhere: what answers there is not this site's to prove.
    if (next.host !== host) return status;
    path = next.pathname + next.search;
  }
}

/**
 * Up: visitors are answered. An origin that fails behind caches that still answer is a concern: what is not cached fails.
 * Facts: status, origin (its status, or "–").
 */
export const probeSite = (site: SiteConfig): Promise<Probed> =>
  look(`site:${site.name}`, async () => {
    const address = site.addresses[0] ?? "";
    const { host } = new URL(address);
    const origin =
      site.origin === undefined
        ? null
        : ask(site.origin, host, site.watch).then(
            (status) => ({ status, problem: null }),
            (error: unknown) => ({
              status: "–",
              problem: tellProblem(error, { problem: "http.failed", params: { address: site.origin ?? "" } }),
            }),
          );
    const [status, behind] = await Promise.all([ask(site.edge ?? address, host, site.watch), origin]);
    return {
      version: null,
      facts: { status, ...(behind === null ? {} : { origin: behind.status }) },
      concerns: behind?.problem ? [behind.problem] : [],
    };
  });

// Status pages: who may see one, and each made once for everybody who looks within a few seconds.
import { hasSite } from "../auth/permissions";
import { identityOf } from "../auth/session";
import { config } from "../config/load";
import type { SiteConfig } from "../config/schema";
import { db } from "../db/client";
import { componentHistory, health } from "../health/service";
import { toEntry } from "../incidents/rows";
import { maintenances } from "../incidents/service";
import { singleton } from "../runtime/singleton";
import { siteByName } from "../sites/site";
import type { StatusPage } from "./contract";
import { stateOf, troubleOf, workOn } from "./judge";

/** A crowd that looks within this time costs one look. */
const freshMs = 5_000;
const historyMs = 90 * 86_400_000;
const maxTroubles = 100;

type Made = { readonly until: number; readonly page: Promise<StatusPage> };
const made = () => singleton("status.pages", () => new Map<string, Made>());

/**
 * The page that this visitor may see. Null: there is none, or not for them, which they cannot tell apart.
 */
export async function statusFor(name: string, headers: Headers): Promise<StatusPage | null> {
  const site = siteByName(config(), name);
  if (site?.status?.public) return statusOf(site);
  // Asked for sites that there are not as well: the time it takes tells nothing either.
  const identity = await identityOf(headers);
  if (identity === null || identity.user.mustChangePassword || !hasSite(identity.actor, name)) return null;
  return site?.status === undefined ? null : statusOf(site);
}

/** Whether search engines may keep the page. */
export const mayBeIndexed = (name: string): boolean => {
  const status = siteByName(config(), name)?.status;
  return status?.public === true && status.index;
};

function statusOf(site: SiteConfig): Promise<StatusPage> {
  const now = Date.now();
  const known = made().get(site.name);
  if (known !== undefined && known.until > now) return known.page;
  const page = make(site, now);
  made().set(site.name, { until: now + freshMs, page });
  return page;
}

async function make(site: SiteConfig, now: number): Promise<StatusPage> {
  const key = `site/${site.name}`;
  const { caches } = site;
  const keeper = health();
  const component = keeper.get(key);
  const history = component === null ? null : await componentHistory(key, now);
  const at = new Date(now).toISOString();
  const incidents = await db().incident.findMany({
    where: {
      components: { some: { component: key } },
      OR: [{ closedAt: null }, { closedAt: { gte: new Date(now - historyMs) } }],
    },
    orderBy: { openedAt: "desc" },
    take: maxTroubles,
    select: { closedAt: true, entries: { orderBy: [{ at: "asc" }, { id: "asc" }] } },
  });
  const watched = (history?.days ?? []).reduce((sum, { watchedMs }) => sum + watchedMs, 0);
  const down = (history?.days ?? []).reduce((sum, { downMs }) => sum + downMs, 0);
  return {
    title: site.status?.title ?? site.title ?? site.name,
    timeZone: site.status?.time_zone ?? "UTC",
    at,
    ...stateOf(
      component,
      [
        ...caches.redis.map(({ system }) => `redis/${system}`),
        ...caches.nginx.map((system) => `nginx/${system}`),
        ...caches.varnish.map((system) => `varnish/${system}`),
        ...(caches.cloudflare === undefined ? [] : [`cloudflare/${caches.cloudflare}`]),
      ]
        .map((cache) => keeper.get(cache))
        .filter((cache) => cache !== null),
    ),
    ...workOn(key, await maintenances(new Date(now)), (upper, lower) => keeper.isBelow(upper, lower), at),
    troubles: incidents
      .map(({ closedAt, entries }) =>
        troubleOf(
          { closedAt: closedAt?.toISOString() ?? null, entries: entries.map(toEntry) },
          key,
          history?.states ?? [],
          at,
        ),
      )
      .filter((one) => one !== null)
      .sort((a, b) => b.from.localeCompare(a.from)),
    days: history?.days ?? [],
    up: watched === 0 ? null : 1 - down / watched,
  };
}

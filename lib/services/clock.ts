// Two clocks: ours, and each engine's, by which its events, its logs and their `since` go.
import type { HostWatch } from "./host-watch";

/** How far an engine's clock is ahead of ours, ms; 0 where it does not tell. */
export const skewOf = (host: HostWatch): number => host.row().clockSkewMs ?? 0;

/** What time it is by an engine's clock, ms. */
export const engineNow = (host: HostWatch): number => Date.now() + skewOf(host);

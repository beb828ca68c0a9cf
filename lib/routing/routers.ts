// Which of several routers of one entry point takes a request, and why the others do not.
import { RuleError } from "./expression";
import { type HttpRequest, httpParts, httpPriority, httpRule, type Part, type Seen, seenOf } from "./match";

/** A router as a provider names it. Of one entry point: those with TLS and those without are asked apart. */
export type Router = {
  readonly name: string;
  readonly rule: string;
  /** 0: as long as its rule. Those of Traefik itself are beyond a double's whole numbers. */
  readonly priority: bigint;
  readonly provider: string;
};
export type Candidate<R extends Router = Router> = {
  readonly router: R;
  /** The one in force. */
  readonly priority: bigint;
  /** "broken": Traefik refuses its rule, and serves as if it were not there. */
  readonly state: "matches" | "misses" | "broken";
  /** Each matcher of its rule, with whether it holds. */
  readonly parts: readonly { readonly text: string; readonly holds: boolean }[];
  /** Why it is broken, in English. */
  readonly error: string | null;
};
export type Found<R extends Router = Router> = {
  readonly winner: R | null;
  /** Others of the winner's priority that match too: which of them Traefik takes is not determined. */
  readonly ties: readonly R[];
  /** All of them in the order in which they are asked. */
  readonly candidates: readonly Candidate<R>[];
};

/** The same rules are asked again with each letter that somebody types, and reading one takes longer than asking it. */
const mostRead = 5000;
const rulesRead = new Map<
  string,
  { readonly test: (seen: Seen) => boolean; readonly parts: readonly Part[] }
>();

/** Throws RuleError. */
function readRule(rule: string) {
  const known = rulesRead.get(rule);
  if (known !== undefined) return known;
  const read = { test: httpRule(rule), parts: httpParts(rule) };
  if (rulesRead.size >= mostRead) rulesRead.clear();
  rulesRead.set(rule, read);
  return read;
}

/**
 * `precedence`: providers whose routers go first among equals, the first one first of all (providersPrecedence of Traefik 3.7). The
 * request's path is as it came through the entry point.
 */
export function routerFor<R extends Router>(
  routers: readonly R[],
  request: HttpRequest,
  precedence: readonly string[] = [],
): Found<R> {
  const seen = seenOf(request);
  const candidates = routers
    .map((router): Candidate<R> => {
      const priority = router.priority === 0n ? BigInt(httpPriority(router.rule)) : router.priority;
      try {
        const { test, parts } = readRule(router.rule);
        const state = test(seen) ? "matches" : "misses";
        const holding = parts.map(({ text, test: holds }) => ({ text, holds: holds(seen) }));
        return { router, priority, state, parts: holding, error: null };
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
        return { router, priority, state: "broken", parts: [], error: error.message };
      }
    })
    .sort((a, b) =>
      a.priority === b.priority
        ? rankOf(a, precedence) - rankOf(b, precedence)
        : a.priority > b.priority
          ? -1
          : 1,
    );
  const matching = candidates.filter(({ state }) => state === "matches");
  const [first] = matching;
  return {
    winner: first?.router ?? null,
    ties: matching
      .slice(1)
      .filter(
        (one) => one.priority === first?.priority && rankOf(one, precedence) === rankOf(first, precedence),
      )
      .map(({ router }) => router),
    candidates,
  };
}

function rankOf({ router }: Candidate, precedence: readonly string[]): number {
  const at = precedence.indexOf(router.provider);
  return at < 0 ? precedence.length : at;
}

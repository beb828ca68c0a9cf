// Mistakes that Varnish's compiler accepts, each at its place. A warning that may be wrong is left out: nobody reads the next one.
import type { VclFile, VclProblem } from "./contract";
import { type Flat, flatten, IncludeCycle } from "./flatten";
import { closing, type Guard, guardsOf, type Outline, outlineOf, type Statement } from "./statements";
import { type Token, tokensOf } from "./tokens";

type Vcl = Outline & {
  readonly tokens: readonly Token[];
  /** The names that the VCL sets or unsets. */
  readonly changed: ReadonlySet<string>;
};
/** Gives the token that each warning points at. */
type Rule = (vcl: Vcl) => Iterable<Token | undefined>;

/** Names of headers know no upper and lower case. */
const named = (token: Token | undefined): string => (token?.type === "word" ? token.text.toLowerCase() : "");
const namesOf = (tokens: readonly Token[]): string[] => tokens.map(named).filter((name) => name !== "");
const mentions = (tokens: readonly Token[], name: string): boolean =>
  tokens.some((token) => named(token) === name);

const returns = ({ tokens }: Statement, how: string): boolean =>
  named(tokens[0]) === "return" && tokens[1]?.text === "(" && named(tokens[2]) === how;
const sets = ({ tokens }: Statement, name: string): boolean =>
  named(tokens[0]) === "set" && named(tokens[1]) === name;
const unsets = ({ tokens }: Statement, name: string): boolean =>
  named(tokens[0]) === "unset" && named(tokens[1]) === name;
const isIf = ({ tokens }: Statement): boolean => /^(?:if|else?if|elsif)$/.test(named(tokens[0]));

/** The calls of a function: its name and what stands between its parentheses. */
function callsOf(tokens: readonly Token[], ...functions: readonly string[]) {
  return tokens.flatMap((token, index) =>
    functions.includes(named(token)) && tokens[index + 1]?.text === "("
      ? [{ name: token, inside: tokens.slice(index + 2, closing(tokens, index + 1)) }]
      : [],
  );
}

const unitSeconds: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
};

/** Seconds that a statement sets a time to, where it is written as one number. */
function setSeconds(statement: Statement, name: string): number | null {
  if (!sets(statement, name) || statement.tokens.length !== 4 || statement.tokens[2]?.text !== "=")
    return null;
  const [, number, unit = ""] = /^([\d.]+)([a-z]+)$/.exec(statement.tokens[3]?.text ?? "") ?? [];
  const seconds = unitSeconds[unit];
  return number === undefined || seconds === undefined ? null : Number(number) * seconds;
}

/** Whether all conditions around are met and are about nothing but the request's method being GET or HEAD. */
const forEveryPage = (statement: Statement): boolean =>
  guardsOf(statement).every(
    ({ tokens, holds }) =>
      holds &&
      namesOf(tokens).every((name) => name === "req.method") &&
      !tokens.some(({ text }) => text === "!=" || text === "!" || text === "!~") &&
      tokens.every(({ type, value }) => type !== "string" || value === "GET" || value === "HEAD"),
  );

const purgeCalls = ["ban", "std.ban", "purge.hard", "purge.soft", "xkey.purge", "xkey.softpurge"];
const isPurge = (statement: Statement): boolean =>
  returns(statement, "purge") || callsOf(statement.tokens, ...purgeCalls).length > 0;
/** Headers that say who asks, in the words of whoever asks. */
const claimed =
  /^req\.http\.(?:x-forwarded-for|forwarded|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip)$/;
/** What a check of who asks looks at. */
const whoAsks = /^(?:client|remote|local|server)\.(?:ip|endpoint|socket)$/;
const secret = /^req\.http\..*(?:auth|token|secret|passw|api-?key|purge-?key)/;
const isCompared = (tokens: readonly Token[], at: number): boolean =>
  ["~", "!~", "==", "!="].includes(tokens[at + 1]?.text ?? "");

/** The claimed headers that a condition compares, itself or as an address. */
const claimsIn = ({ tokens }: Statement): Token[] =>
  tokens.filter(
    (token, at) =>
      claimed.test(named(token)) &&
      (isCompared(tokens, at) || (named(tokens[at - 2]) === "std.ip" && tokens[at - 1]?.text === "(")),
  );

/** Whether a condition asks who it is that asks; a header that is only there proves nothing. */
const asksWho = (condition: Statement): boolean =>
  claimsIn(condition).length > 0 ||
  condition.tokens.some(
    (token, at) =>
      whoAsks.test(named(token)) || (secret.test(named(token)) && isCompared(condition.tokens, at)),
  );

const hashed = (vcl: Vcl): Token[] => callsOf(vcl.tokens, "hash_data").flatMap(({ inside }) => inside);
const lookups = (vcl: Vcl): Statement[] =>
  vcl.statements.filter((statement) => statement.sub === "vcl_hash" && returns(statement, "lookup"));

/** Whether what is hashed holds the address or the host, or may hold it in a way that is not seen here. */
function mayHash(vcl: Vcl, part: "req.url" | "req.http.host"): boolean {
  return [...new Set(namesOf(hashed(vcl)))].some(
    (name) =>
      `${name}.`.startsWith(`${part}.`) ||
      (part === "req.http.host" && name === "server.ip") ||
      // A function of a module, or a header that the VCL made of it.
      !/^(?:(?:req|server|client|local|remote)\.|regsub(?:all)?$)/.test(name) ||
      vcl.statements.some((statement) => sets(statement, name) && mentions(statement.tokens.slice(2), part)),
  );
}

/** Whether a condition lets errors of the server through. */
function meansErrors({ tokens, holds }: Guard): boolean {
  // "!" and "<" may leave them out again.
  if (!holds || tokens.some(({ text }) => ["!", "<", "<="].includes(text))) return false;
  return tokens.some((token, at) => {
    const [operator, status] = [tokens[at + 1]?.text, Number(tokens[at + 2]?.text)];
    return (
      named(token) === "beresp.status" &&
      ((operator === "==" && status >= 500 && status < 600) ||
        (operator === ">=" && status >= 400 && status < 600) ||
        (operator === ">" && status >= 399 && status < 599))
    );
  });
}

/** Whether a condition about the method alone is met by methods of every day. */
function meansUsualMethods(guards: readonly Guard[]): boolean {
  const [guard] = guards;
  if (guard === undefined || guards.length > 1 || !guard.holds) return false;
  if (!namesOf(guard.tokens).every((name) => name === "req.method")) return false;
  const methods = guard.tokens.filter(({ type }) => type === "string").map(({ value }) => value);
  const marks = new Set(guard.tokens.filter(({ type }) => type === "mark").map(({ text }) => text));
  for (const neutral of ["(", ")"]) marks.delete(neutral);
  const usual = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
  const only = (...wanted: string[]) => [...marks].every((mark) => wanted.includes(mark));
  if (only("==", "||")) return methods.some((method) => usual.includes(method));
  return only("!=", "&&") && !["GET", "HEAD", "POST"].every((method) => methods.includes(method));
}

/** Seconds. Less is meant to be short. */
const longTime = 60;
/** Where a time is only how long Varnish remembers that something is not to be cached. */
const uncacheableBlocks = (vcl: Vcl): Set<object> =>
  new Set(vcl.statements.filter((one) => sets(one, "beresp.uncacheable")).map(({ block }) => block));

const rules = {
  /** The ban lurker cannot look at requests: such a ban stays until every object was asked for. */
  *banOnRequest(vcl) {
    for (const { inside } of callsOf(vcl.tokens, "ban", "std.ban"))
      yield inside.find(
        ({ type, value }) => type === "string" && /(?:^|&&|\s)\s*req\.(?:url|http\.)/.test(value),
      );
  },

  /** Anybody may purge. */
  *purgeOpen(vcl) {
    const acls = new Set(vcl.declarations.filter(({ kind }) => kind === "acl").map(({ name }) => name.text));
    const matched = vcl.tokens.some(
      (token, at) => acls.has(token.text) && /^!?~$/.test(vcl.tokens[at - 1]?.text ?? ""),
    );
    if (matched || vcl.statements.some((statement) => isIf(statement) && asksWho(statement))) return;
    const open = vcl.statements.find(isPurge);
    yield open && (callsOf(open.tokens, ...purgeCalls)[0]?.name ?? open.tokens[2]);
  },

  /** Who may purge is asked of a header that the client writes. */
  *purgeByHeader(vcl) {
    const purges = vcl.statements.filter(isPurge);
    const blocks = new Set(purges.map(({ block }) => block));
    const asked = new Set(purges.flatMap((purge) => guardsOf(purge).map(({ tokens }) => tokens[0])));
    for (const condition of vcl.statements.filter(isIf)) {
      const claim = claimsIn(condition).find((token) => !vcl.changed.has(named(token)));
      if (claim === undefined || mentions(condition.tokens, "client.ip")) continue;
      const around = [condition, ...guardsOf(condition)].flatMap(({ tokens }) => tokens);
      const verb = around.some(({ type, value }) => type === "string" && /^(?:PURGE|BAN)/.test(value));
      if (verb || blocks.has(condition.block) || asked.has(condition.tokens[2])) yield claim;
    }
  },

  /** Each visitor gets a copy of his own. */
  *cookieHashed(vcl) {
    if (vcl.changed.has("req.http.cookie") || namesOf(vcl.tokens).some((name) => name.startsWith("cookie.")))
      return;
    yield hashed(vcl).find((token) => named(token) === "req.http.cookie");
  },

  /** `return (hash)` leaves the built-in code out, which passes what has a cookie. */
  *cookieIgnored(vcl) {
    if (
      namesOf(vcl.tokens).some((name) => /^(?:req\.http\.cookie|bereq\.http\.cookie|cookie\..*)$/.test(name))
    )
      return;
    for (const statement of vcl.statements)
      if (statement.sub === "vcl_recv" && returns(statement, "hash") && forEveryPage(statement))
        yield statement.tokens[2];
  },

  *hashWithoutUrl(vcl) {
    if (!mayHash(vcl, "req.url")) for (const { tokens } of lookups(vcl)) yield tokens[2];
  },

  *hashWithoutHost(vcl) {
    // One host for all, whatever was asked for.
    const one = vcl.statements.some(
      (statement) => sets(statement, "req.http.host") && statement.tokens[3]?.type === "string",
    );
    if (!one && !mayHash(vcl, "req.http.host")) for (const { tokens } of lookups(vcl)) yield tokens[2];
  },

  /** Varnish stores one compressed copy, and a purge removes one key. */
  *encodingHashed(vcl) {
    yield hashed(vcl).find((token) => named(token) === "req.http.accept-encoding");
  },

  /** Thousands of browsers' names, and as many copies of a page. */
  *agentSplits(vcl) {
    if (vcl.changed.has("req.http.user-agent")) return;
    yield hashed(vcl).find((token) => named(token) === "req.http.user-agent");
    for (const statement of vcl.statements)
      if (sets(statement, "beresp.http.vary"))
        yield statement.tokens.find(
          ({ type, value }) => type === "string" && /(?:^|[\s,])user-agent\s*(?:,|$)/i.test(value),
        );
  },

  /** Times are set, but nothing is left to show when the backend is away: default_grace is 10 s. */
  *noGrace(vcl) {
    if (mentions(vcl.tokens, "beresp.grace")) return;
    const uncacheable = uncacheableBlocks(vcl);
    yield vcl.statements.find(
      (one) => (setSeconds(one, "beresp.ttl") ?? 0) >= longTime && !uncacheable.has(one.block),
    )?.tokens[1];
  },

  /** `return (deliver)` leaves the built-in code out, which refuses to keep Set-Cookie, private and no-store. */
  *deliverUnchecked(vcl) {
    const checked = vcl.statements.some(
      (statement) =>
        mentions(statement.tokens, "beresp.http.set-cookie") ||
        (sets(statement, "beresp.uncacheable") &&
          !guardsOf(statement).some(({ tokens }) => mentions(tokens, "beresp.status"))),
    );
    if (checked) return;
    for (const statement of vcl.statements)
      if (
        statement.sub === "vcl_backend_response" &&
        returns(statement, "deliver") &&
        statement.within === null
      )
        yield statement.tokens[2];
  },

  /** An error outlives its cause. */
  *errorsKept(vcl) {
    const uncacheable = uncacheableBlocks(vcl);
    // A redirect or a page of its own may be made there.
    const made = vcl.statements.some((one) => one.sub === "vcl_backend_error" && sets(one, "beresp.status"));
    for (const statement of vcl.statements) {
      if ((setSeconds(statement, "beresp.ttl") ?? 0) < longTime || uncacheable.has(statement.block)) continue;
      if ((statement.sub === "vcl_backend_error" && !made) || guardsOf(statement).some(meansErrors))
        yield statement.tokens[3];
    }
  },

  /** What the application calls private is kept for all. */
  *privateKept(vcl) {
    const header = "beresp.http.cache-control";
    const read = vcl.statements.some((one) =>
      mentions(one.tokens.slice(sets(one, header) || unsets(one, header) ? 2 : 0), header),
    );
    if (read) return;
    for (const statement of vcl.statements)
      if (statement.sub === "vcl_backend_response" && statement.within === null)
        if (sets(statement, header) || unsets(statement, header)) yield statement.tokens[1];
  },

  /** Ordinary requests go past the cache, and with them all that follow on the connection. */
  *pipedMethod(vcl) {
    for (const statement of vcl.statements)
      if (
        statement.sub === "vcl_recv" &&
        returns(statement, "pipe") &&
        meansUsualMethods(guardsOf(statement))
      )
        yield statement.tokens[2];
  },

  /** Varnish takes Upgrade away, also in a pipe, unless it is put back. */
  *upgradeLost(vcl) {
    if (mentions(vcl.tokens, "bereq.http.upgrade")) return;
    for (const statement of vcl.statements)
      if (
        returns(statement, "pipe") &&
        guardsOf(statement).some(({ tokens, holds }) => holds && mentions(tokens, "req.http.upgrade"))
      )
        yield statement.tokens[2];
  },

  /** Not to be cached, but for no time: visitors wait for one another. The built-in code mends it where it is reached. */
  *passForgotten(vcl) {
    const ends = vcl.statements.filter((one) => returns(one, "deliver"));
    const blocks = new Set(ends.map(({ block }) => block));
    const always = new Set(ends.filter(({ within }) => within === null).map(({ sub }) => sub));
    const ttls = new Map(
      vcl.statements.filter((one) => sets(one, "beresp.ttl")).map((one) => [one.block, one]),
    );
    for (const mark of vcl.statements) {
      if (!sets(mark, "beresp.uncacheable") || named(mark.tokens[3]) !== "true") continue;
      const ttl = ttls.get(mark.block);
      if (mark.sub === "vcl_backend_error" || ttl === undefined || setSeconds(ttl, "beresp.ttl") !== 0)
        continue;
      if (blocks.has(mark.block) || always.has(mark.sub)) yield ttl.tokens[3];
    }
  },

  /** Varnish has added the client's address before vcl_recv begins. */
  *forwardedTwice(vcl) {
    const header = "req.http.x-forwarded-for";
    for (const statement of vcl.statements) {
      const given = statement.tokens.slice(2);
      const added = given[0]?.text === "+=" || mentions(given, header);
      if (sets(statement, header) && added && mentions(given, "client.ip")) yield statement.tokens[1];
    }
  },

  /** A director cannot leave out what it does not know to be ill. */
  *noProbe(vcl) {
    if (vcl.declarations.some(({ kind, name }) => kind === "probe" && name.text === "default")) return;
    const members = new Map<string, Set<string>>();
    for (const { tokens } of vcl.statements) {
      const [director] = /^.+(?=\.add_backend$)/.exec(tokens[0]?.text ?? "") ?? [];
      const backend = tokens[2]?.text;
      if (director !== undefined && backend !== undefined)
        members.set(director, (members.get(director) ?? new Set()).add(backend));
    }
    const several = new Set(
      [...members.values()].filter(({ size }) => size > 1).flatMap((names) => [...names]),
    );
    for (const { kind, name, tokens } of vcl.declarations)
      if (kind === "backend" && several.has(name.text) && !mentions(tokens, "probe")) yield name;
  },

  /** The same again, until max_restarts makes an error of it. */
  *restartLoop(vcl) {
    if (mentions(vcl.tokens, "req.restarts")) return;
    for (const statement of vcl.statements)
      if (
        returns(statement, "restart") &&
        // A header that the first round leaves may end it.
        !guardsOf(statement).some(({ tokens }) =>
          namesOf(tokens).some((name) => name.startsWith("req.http.")),
        )
      )
        yield statement.tokens[2];
  },

  /** It runs in the process that serves, and most nodes refuse it. */
  *inlineC(vcl) {
    yield* vcl.tokens.filter(({ type }) => type === "inlineC");
  },
} satisfies Record<string, Rule>;

/** A key of messages `vcl.warnings`. */
export type VclWarning = keyof typeof rules;
export const vclWarnings = Object.keys(rules) as VclWarning[];

/**
 * Our own warnings, each at its place in its own file, in the order of the whole. None where an include is a riddle: what is
 * missing in sight may stand there.
 */
export function warningsOf(files: readonly VclFile[]): VclProblem[] {
  const flat = whole(files);
  if (flat === null) return [];
  const tokens = tokensOf(flat.text).filter(({ type }) => type !== "comment");
  const outline = outlineOf(tokens.filter(({ type }) => type !== "inlineC"));
  const changed = outline.statements.flatMap(({ tokens: [verb, name] }) =>
    ["set", "unset"].includes(named(verb)) ? [named(name)] : [],
  );
  const vcl: Vcl = { tokens, ...outline, changed: new Set(changed) };
  const found = vclWarnings.flatMap((warning) =>
    [...new Set(rules[warning](vcl))].flatMap((token) => (token === undefined ? [] : [{ warning, token }])),
  );
  return found
    .sort((a, b) => a.token.at - b.token.at)
    .map(({ warning, token }) => {
      const place = flat.placeAt(token.at);
      // Long strings and C go over several lines: their beginning is enough.
      const length = token.type === "inlineC" ? "C{".length : (token.text.split(/\r?\n/)[0]?.length ?? 1);
      return {
        severity: "warning" as const,
        nodes: [],
        ...place,
        endLine: place.line,
        endColumn: place.column + length,
        says: null,
        warning,
      };
    });
}

function whole(files: readonly VclFile[]): Flat | null {
  try {
    const flat = flatten(files);
    return flat.foreign.length === 0 ? flat : null;
  } catch (error) {
    if (error instanceof IncludeCycle) return null;
    throw error;
  }
}

// What Traefik says is wrong with its parts, in a word, and without the secrets that it says with it.
import { hidden, maskedText } from "../../errors/mask";

/** What Traefik says is wrong with one of its parts. */
export type Fault = {
  /** A word for it; "other" where it is none of those that are known. */
  readonly kind: FaultKey;
  /** What it is about: the name of a service, of a middleware, of an entry point; empty where it names nothing. */
  readonly about: string;
  /** Its own words, without secrets. */
  readonly says: string;
};

const words = [
  // Perhaps behind the names of services and middlewares that use it.
  [/the (?:UDP )?service "([^"]+)" does not exist$/, "serviceMissing"],
  [/middleware "([^"]+)" does not exist$/, "middlewareMissing"],
  [/^entryPoint "(.+)" doesn't exist$/, "entryPointMissing"],
  [/^no valid entryPoint for this router$/, "noEntryPoint"],
  [/unknown TLS options: (\S+)/, "tlsOptionsMissing"],
  [/TLSOptions configuration is conflicting/, "tlsConflict"],
  [/the TLS option (\S+) cannot be applied/, "tlsWithoutHost"],
  [/building TLS config|TLS store/, "tlsBroken"],
  [/has HostSNI matcher, but no TLS on router$/, "sniWithoutTls"],
  [/^router has no rule$/, "noRule"],
  [/^(?:error while (?:parsing|adding|checking) rule|invalid rule|invalid domain name value)/, "badRule"],
  [/^the router priority \S+ exceeds/, "priority"],
  [/^parent router "(.+)" does not exist$/, "parentMissing"],
  [/^(?:non-root router cannot have|router is not reachable|router has both|cyclic reference)/, "family"],
  [
    /^(?:the service is missing on the |router has no service|router must have either a service)/,
    "noService",
  ],
  [/service "([^"]+)" does not have any type defined$/, "serviceEmpty"],
  [/invalid middleware "([^"]+)" configuration/, "middlewareEmpty"],
  [/multi-types (?:service|middleware) not supported/, "manyTypes"],
  [/^could not instantiate \S+ (.+): recursion detected/, "recursion"],
  [/^plugin: |^unknown plugin/, "plugin"],
  [/error parsing (?:basic|digest)user/i, "badUser"],
] as const;
export type FaultKey = (typeof words)[number][1] | "other";
/** All of them, but for "other". */
export const faultKeys: readonly FaultKey[] = [...new Set(words.map(([, kind]) => kind))];

/** What is read of an error; half a word at its end may be half a secret, which nobody would know for one. */
const readText = 2000;
const keptText = 500;

/** An error of Traefik's in a word. One of a user of basicAuth says the password's hash: that is taken out. */
export function faultOf(error: string): Fault {
  const named = error.replace(/(error parsing (?:basic|digest)user:).*/is, `$1 ${hidden}`);
  const read = named.length > readText ? named.slice(0, readText).replace(/\S*$/, "…") : named;
  const says = maskedText(read).slice(0, keptText);
  for (const [pattern, kind] of words) {
    const found = pattern.exec(says);
    if (found !== null) return { kind, about: found[1] ?? "", says };
  }
  return { kind: "other", about: "", says };
}

// Headers of a trace: those that a person adds to the request, and those that come back, without what is secret in them.
import { AppError } from "../errors/app-error";
import { hidden, maskedText } from "../errors/mask";

type Headers = Readonly<Record<string, string>>;

const invalid = (problem: string, message: string, params: Record<string, string> = {}) =>
  new AppError("INVALID_INPUT", message, { problem, params, field: "headers" });

/** Where the request goes, and where it ends, is not the person's to say. */
const ours =
  /^(host|connection|keep-alive|content-length|transfer-encoding|te|trailer|upgrade|expect|proxy-.*)$/;

/** What somebody wrote, one header a line; names in lower case. Throws AppError INVALID_INPUT. */
export function headersOf(text: string): Record<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "") continue;
    const [, given = "", value = ""] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (given === "") throw invalid("routing.header", "A header is written as Name: value.");
    const name = given.toLowerCase();
    if (ours.test(name))
      throw invalid("trace.ownHeader", `${given} is Sluice's own to send.`, { name: given });
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ", "}${value}`);
  }
  return Object.fromEntries(headers);
}

const secretName = /cookie|authorization|token|secret|passw|session|api-?key|signature|jwt/;
/** Marks that only look like one. */
const plainName = /^(x-debug-token|x-debug-token-link)$/;

/** Names of cookies stay, and their attributes go: a cookie's value may hold anything. */
const cookies = (value: string): string =>
  value
    .split(/,\s*(?=[^;,\s=]+=)/)
    .map((one) => `${one.split("=", 1)[0]?.trim() ?? ""}=${hidden}`)
    .join(", ");

/** What the person sent that must not be shown where a layer sends it back. */
const sentSecrets = (sent: Headers): string[] =>
  Object.entries(sent)
    .filter(([name]) => secretName.test(name))
    .flatMap(([, value]) => [value, ...value.split(/[;,\s]+/).map((part) => part.replace(/^[^=]+=/, ""))])
    .filter((value) => value.length >= 6)
    .sort((a, b) => b.length - a.length);

/** One answer's headers by name, secrets hidden. `sent`: what the person added to the request. */
export function plainHeaders(headers: Headers, sent: Headers): Record<string, string> {
  const secrets = sentSecrets(sent);
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      if (name === "set-cookie") return [name, cookies(value)];
      if (secretName.test(name) && !plainName.test(name)) return [name, hidden];
      return [name, secrets.reduce((text, secret) => text.replaceAll(secret, hidden), maskedText(value))];
    }),
  );
}

/** The same as a list, sorted by name, long values cut. */
export function shownHeaders(headers: Headers, sent: Headers): { name: string; value: string }[] {
  return Object.entries(plainHeaders(headers, sent))
    .map(([name, value]) => ({ name, value: value.length > 2000 ? `${value.slice(0, 2000)}…` : value }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

// The texts of a trial: what serves everybody, with a door for one browser in front of it; and the draft behind that door.
import { createHash } from "node:crypto";
import { AppError } from "../errors/app-error";
import { tokensOf } from "./tokens";

/** What the door is made of. Nothing but letters, digits, - and _ is in any of it. */
export type Door = {
  /** The change that opened it. */
  readonly change: number;
  /** The name of the VCL that everybody else gets. */
  readonly base: string;
  /** The cookie's value, 128 bits in hexadecimal. */
  readonly token: string;
  /** Stands in an address instead of it, once: it gives the cookie. */
  readonly enter: string;
  /** How long the browser keeps the cookie. */
  readonly seconds: number;
};

export const tryHeader = "X-Sluice-Try";
const cookie = "sluice-try";
const folder = "/.sluice-try";

/** The path that gives the cookie; `secure`: for a site that is asked over https only. */
export const enterPath = (enter: string, secure: boolean): string =>
  `${folder}/${enter}${secure ? "-s" : ""}`;
/** The path that takes the cookie away. */
export const leavePath = `${folder}/end`;

/** Names on a node: the label, the draft behind it, what serves with the door, and a base that had to be compiled again. */
export const namesOf = (change: number) => ({
  label: `sluice-try-c${change}`,
  draft: `sluice-draft-c${change}`,
  top: `sluice-top-c${change}`,
  base: `sluice-base-c${change}`,
});
/** Any such name; the first group is the change. */
export const tryName = /^sluice-(?:try|draft|top|base)-c(\d+)$/;

/** Where the first declaration may stand. Throws AppError INVALID_INPUT: a VCL begins with `vcl 4.x;`. */
function afterVersion(text: string): number {
  const [vcl, version, end] = tokensOf(text).filter(({ type }) => type !== "comment");
  if (vcl?.text === "vcl" && version?.type === "number" && end?.text === ";") return end.at + 1;
  throw new AppError("INVALID_INPUT", "A VCL begins with vcl 4.0; or vcl 4.1;.", {
    problem: "vcl.tryVersion",
    params: {},
  });
}

/** `restarts == 0`: Varnish stays in the VCL that it changed to, over a restart and in what ESI includes. */
function doorText({ change, base, token, enter, seconds }: Door): string {
  const { label } = namesOf(change);
  const given = (more: string) =>
    `"${cookie}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${more}"`;
  return `
// sluice-try ${change} ${base} ${token} ${enter} ${seconds}: for the time of a trial; what follows its end is the VCL.
sub vcl_recv {
    if (req.restarts == 0) {
        if (req.url == "${enterPath(enter, false)}") { return (synth(302, "${label}")); }
        if (req.url == "${enterPath(enter, true)}") { return (synth(302, "${label}-s")); }
        if (req.url == "${leavePath}") { return (synth(302, "${label}-end")); }
        if (req.http.${tryHeader} == "${token}" || req.http.Cookie ~ "(^|;\\s*)${cookie}=${token}(;|$)") {
            return (vcl(${label}));
        }
    }
}
sub vcl_synth {
    if (resp.status == 302 && resp.reason ~ "^${label}(-s|-end)?$") {
        if (resp.reason == "${label}") { set resp.http.Set-Cookie = ${given("")}; }
        if (resp.reason == "${label}-s") { set resp.http.Set-Cookie = ${given("; Secure")}; }
        if (resp.reason == "${label}-end") { set resp.http.Set-Cookie = "${cookie}=; Path=/; Max-Age=0"; }
        set resp.reason = "Found";
        set resp.http.Location = "/";
        set resp.http.Cache-Control = "no-store";
        set resp.http.Referrer-Policy = "no-referrer";
        synthetic("");
        return (deliver);
    }
}
// sluice-try end
`;
}

/** What everybody gets, with the door before everything else: subs of one name run in the order they stand in. Throws as above. */
export function withDoor(base: string, door: Door): string {
  const at = afterVersion(base);
  return base.slice(0, at) + doorText(door) + base.slice(at);
}

const opening =
  /^\/\/ sluice-try (\d{1,15}) ([A-Za-z0-9_-]{1,128}) ([a-f0-9]{32}) ([a-f0-9]{32}) (\d{1,6}): /m;

/** The text behind a door and the door itself; null where there is none, or one that is not as Sluice made it. */
export function withoutDoor(text: string): { readonly text: string; readonly door: Door } | null {
  const found = opening.exec(text);
  if (found === null) return null;
  const [, change = "", base = "", token = "", enter = "", seconds = ""] = found;
  const door: Door = { change: Number(change), base, token, enter, seconds: Number(seconds) };
  const block = doorText(door);
  const at = found.index - 1;
  if (!text.startsWith(block, at)) return null;
  const bare = text.slice(0, at) + text.slice(at + block.length);
  try {
    return withDoor(bare, door) === text ? { text: bare, door } : null;
  } catch {
    return null;
  }
}

/** The trial's secrets taken out of a request: Varnish gives the draft the request as it came. */
const stripped = (request: "req" | "bereq") => `    unset ${request}.http.${tryHeader};
    if (${request}.http.Cookie) {
        set ${request}.http.Cookie = regsub(regsuball(${request}.http.Cookie, "(^|;\\s*)${cookie}=[^;]*", ""), "^;\\s*", "");
        if (${request}.http.Cookie == "") { unset ${request}.http.Cookie; }
    }`;

/** Neither this browser nor a cache in front may keep the draft's answers: they would outlive it, or reach somebody else. */
const notKept = `    set resp.http.Cache-Control = "private, no-store";
    set resp.http.CDN-Cache-Control = "no-store";
    set resp.http.Cloudflare-CDN-Cache-Control = "no-store";
    set resp.http.X-Accel-Expires = "0";`;

/** The draft as its one browser gets it: told by a header, with objects of its own, and nothing of the trial reaches a backend. */
export function draftText(
  text: string,
  { revision, token }: { readonly revision: number; readonly token: string },
): string {
  const at = afterVersion(text);
  const salt = createHash("sha256").update(token).digest("hex").slice(0, 32);
  const answer = (sub: string) => `sub ${sub} {
    set resp.http.${tryHeader} = "r${revision}";
${notKept}
}
`;
  const before = `
sub vcl_recv {
${stripped("req")}
}
sub vcl_hash { hash_data("sluice-try-${salt}"); }
sub vcl_pipe {
${stripped("bereq")}
}
sub vcl_backend_fetch {
${stripped("bereq")}
}
${answer("vcl_deliver")}${answer("vcl_synth")}`;
  // Again at its end: the draft may have set them itself.
  return `${text.slice(0, at)}${before}${text.slice(at)}\n${answer("vcl_deliver")}${answer("vcl_synth")}`;
}

/** Whether a VCL changes to another one itself: Varnish answers 503 where one that a label names does. */
export function changesVcl(text: string): boolean {
  const tokens = tokensOf(text).filter(({ type }) => type !== "comment");
  return tokens.some(
    ({ text: word, type }, at) =>
      type === "word" &&
      word === "return" &&
      tokens[at + 1]?.text === "(" &&
      tokens[at + 2]?.text === "vcl" &&
      tokens[at + 3]?.text === "(",
  );
}

// The words of VCL 4.1 as Varnish 7 knows them: subroutines, variables and where they may be used, statements, fields.
// After vcl(7), vcl-var(7), vcl-step(7), vcl-backend(7) and vcl-probe(7), and their changes up to 7.7.

export const clientSubs = [
  "vcl_recv",
  "vcl_pipe",
  "vcl_pass",
  "vcl_hash",
  "vcl_purge",
  "vcl_miss",
  "vcl_hit",
  "vcl_deliver",
  "vcl_synth",
] as const;
export const backendSubs = ["vcl_backend_fetch", "vcl_backend_response", "vcl_backend_error"] as const;
const allSubs = [...clientSubs, ...backendSubs, "vcl_init", "vcl_fini"] as const;
export type Sub = (typeof allSubs)[number];

/** True for the name of a subroutine that Varnish calls itself. */
export function isSub(name: string): name is Sub {
  return allSubs.some((sub) => sub === name);
}

/** What return() may be given, and what it does. */
export const actions = {
  abandon: { text: "abandon", help: "Gives the fetch up; nothing is stored." },
  deliver: { text: "deliver", help: "Goes on to deliver what there is." },
  error: { text: "error(status, reason)", help: "Goes to vcl_backend_error." },
  fail: { text: "fail", help: "Fails: the client gets 503, or the VCL is not loaded." },
  fetch: { text: "fetch", help: "Asks the backend." },
  hash: { text: "hash", help: "Looks the object up in the cache." },
  lookup: { text: "lookup", help: "Looks the object up, by what was hashed." },
  ok: { text: "ok", help: "Goes on to load or to discard the VCL." },
  pass: { text: "pass", help: "Asks the backend and stores nothing." },
  pipe: { text: "pipe", help: "Ties client and backend together and looks at nothing any more." },
  purge: { text: "purge", help: "Removes the object and its variants, then goes to vcl_purge." },
  restart: { text: "restart", help: "Begins again with vcl_recv, one restart more." },
  retry: { text: "retry", help: "Asks the backend again, one retry more." },
  synth: { text: "synth(status, reason)", help: "Answers by itself, through vcl_synth." },
  vcl: { text: "vcl(label)", help: "Goes on in the VCL with this label." },
} as const;
export type Action = keyof typeof actions;

/** The subroutines Varnish calls, with what they may return. */
export const subs: Readonly<Record<Sub, { readonly returns: readonly Action[]; readonly help: string }>> = {
  vcl_recv: {
    returns: ["hash", "pass", "pipe", "synth", "purge", "restart", "vcl", "fail"],
    help: "A request has come in.",
  },
  vcl_pipe: { returns: ["pipe", "synth", "fail"], help: "The request is to be piped to the backend." },
  vcl_pass: {
    returns: ["fetch", "synth", "restart", "fail"],
    help: "The request is to be passed to the backend; the answer is not stored.",
  },
  vcl_hash: { returns: ["lookup", "fail"], help: "Makes the key under which the object is looked up." },
  vcl_purge: { returns: ["synth", "restart", "fail"], help: "The object and its variants were purged." },
  vcl_miss: {
    returns: ["fetch", "pass", "synth", "restart", "fail"],
    help: "The object is not in the cache.",
  },
  vcl_hit: {
    returns: ["deliver", "pass", "synth", "restart", "fail"],
    help: "The object is in the cache; it may be stale.",
  },
  vcl_deliver: {
    returns: ["deliver", "synth", "restart", "fail"],
    help: "The answer is about to be sent to the client.",
  },
  vcl_synth: { returns: ["deliver", "restart", "fail"], help: "An answer that Varnish makes itself." },
  vcl_backend_fetch: {
    returns: ["fetch", "error", "abandon", "fail"],
    help: "The backend is about to be asked.",
  },
  vcl_backend_response: {
    returns: ["deliver", "pass", "retry", "error", "abandon", "fail"],
    help: "The backend’s headers have come.",
  },
  vcl_backend_error: {
    returns: ["deliver", "retry", "abandon", "fail"],
    help: "The backend did not answer; makes an answer in its place.",
  },
  vcl_init: { returns: ["ok", "fail"], help: "The VCL is loaded; objects of vmods are made here." },
  vcl_fini: { returns: ["ok"], help: "The VCL is discarded." },
};

/** A variable. A name that ends in * stands for any: req.http.*. The lists say in which subroutines it may be used how. */
export type Variable = {
  readonly name: string;
  readonly type: string;
  readonly read: readonly Sub[];
  readonly write: readonly Sub[];
  readonly unset: readonly Sub[];
  readonly help: string;
  /** The first version that has it, where that is later than 7.0. */
  readonly since: string | null;
};

const none: readonly Sub[] = [];
const all: readonly Sub[] = allSubs;
const client: readonly Sub[] = clientSubs;
const backend: readonly Sub[] = backendSubs;
const both: readonly Sub[] = [...clientSubs, ...backendSubs];
const pipeAndBackend: readonly Sub[] = ["vcl_pipe", ...backendSubs];
const answered: readonly Sub[] = ["vcl_backend_response", "vcl_backend_error"];
const response: readonly Sub[] = ["vcl_backend_response"];
const stored: readonly Sub[] = ["vcl_hit", "vcl_deliver"];
const hit: readonly Sub[] = ["vcl_hit"];
const leaving: readonly Sub[] = ["vcl_deliver", "vcl_synth"];

type More = { write?: readonly Sub[]; unset?: readonly Sub[]; since?: string };
const variable = (declared: string, read: readonly Sub[], help: string, more: More = {}): Variable => {
  const [type = "", name = ""] = declared.split(" ");
  return {
    name,
    type,
    read,
    help,
    write: more.write ?? none,
    unset: more.unset ?? none,
    since: more.since ?? null,
  };
};
const written = (subs: readonly Sub[], more: More = {}): More => ({ write: subs, ...more });

export const variables: readonly Variable[] = [
  variable(
    "STRING client.identity",
    both,
    "Who the client is, for the client’s director; the IP at first.",
    written(client),
  ),
  variable("IP client.ip", both, "The client’s address."),
  variable("STRING server.hostname", all, "The server’s host name."),
  variable("STRING server.identity", all, "The server’s name, as varnishd -i gives it."),
  variable("IP server.ip", both, "The address on which the client came in."),
  variable(
    "IP remote.ip",
    both,
    "The other end of the TCP connection: the client, or a proxy before Varnish.",
  ),
  variable("STRING local.endpoint", both, "The address of the -a socket that took the connection."),
  variable("IP local.ip", both, "This end of the TCP connection."),
  variable("STRING local.socket", both, "The name of the -a socket that took the connection."),

  variable("HTTP req", client, "The whole request, for vmods."),
  variable(
    "BACKEND req.backend_hint",
    client,
    "The backend or director to ask, if one is asked.",
    written(client),
  ),
  variable("BOOL req.can_gzip", client, "Whether the client takes gzip."),
  variable("INT req.esi_level", client, "How deep in ESI includes this request is."),
  variable(
    "STRING req.filters",
    client,
    "What the request’s body goes through.",
    written(client, { since: "7.7" }),
  ),
  variable("DURATION req.grace", client, "How stale an object may be for this request.", written(client)),
  variable(
    "BLOB req.hash",
    ["vcl_hit", "vcl_miss", "vcl_pass", "vcl_purge", "vcl_deliver"],
    "The key; from 7.7 on in vcl_synth and vcl_pipe too.",
  ),
  variable("BOOL req.hash_always_miss", client, "Fetches anew even what is in the cache.", written(client)),
  variable(
    "BOOL req.hash_ignore_busy",
    client,
    "Does not wait for a fetch of the same object.",
    written(client),
  ),
  variable("BOOL req.hash_ignore_vary", client, "Takes any variant of the object.", written(client)),
  variable("HEADER req.http.*", client, "A header of the request.", written(client, { unset: client })),
  variable(
    "BOOL req.is_hitmiss",
    client,
    "Whether it hit a hit-for-miss object; from 7.7 on only in vcl_miss, vcl_pass, vcl_deliver and vcl_synth.",
  ),
  variable(
    "BOOL req.is_hitpass",
    client,
    "Whether it hit a hit-for-pass object; from 7.7 on only in vcl_pass, vcl_deliver and vcl_synth.",
  ),
  variable("STRING req.method", client, "The method: GET, HEAD, …", written(client)),
  variable("STRING req.proto", client, "The protocol: HTTP/1.1, HTTP/2.0."),
  variable("INT req.restarts", client, "How often the request was restarted."),
  variable("STEVEDORE req.storage", client, "Where the request’s body is kept.", written(client)),
  variable("TIME req.time", client, "When the request had come in; restarts do not change it."),
  variable("BOOL req.trace", client, "Whether VCL_trace is logged.", written(client, { since: "7.4" })),
  variable("STRING req.transport", client, "How the request came in."),
  variable("DURATION req.ttl", client, "How old an object may be to be a hit.", written(client)),
  variable("STRING req.url", client, "Path and query.", written(client)),
  variable("INT req.xid", client, "The request’s id; a STRING before 7.3."),

  variable("HEADER req_top.http.*", client, "A header of the request that holds the ESI includes."),
  variable("STRING req_top.method", client, "The method of the request that holds the ESI includes."),
  variable("STRING req_top.proto", client, "The protocol of the request that holds the ESI includes."),
  variable("TIME req_top.time", client, "When the request that holds the ESI includes had come in."),
  variable("STRING req_top.url", client, "Path and query of the request that holds the ESI includes."),

  variable("HTTP bereq", backend, "The whole request to the backend, for vmods."),
  variable(
    "BACKEND bereq.backend",
    pipeAndBackend,
    "The backend or director that is asked.",
    written(pipeAndBackend),
  ),
  variable(
    "DURATION bereq.between_bytes_timeout",
    backend,
    "How long to wait from one byte to the next.",
    written(backend),
  ),
  variable("BODY bereq.body", none, "The request’s body; may only be unset.", {
    unset: ["vcl_backend_fetch"],
  }),
  variable(
    "DURATION bereq.connect_timeout",
    pipeAndBackend,
    "How long to wait for a connection.",
    written(pipeAndBackend),
  ),
  variable(
    "STRING bereq.filters",
    backend,
    "What the body to the backend goes through.",
    written(backend, { since: "7.7" }),
  ),
  variable(
    "DURATION bereq.first_byte_timeout",
    backend,
    "How long to wait for the first byte.",
    written(backend),
  ),
  variable("BLOB bereq.hash", pipeAndBackend, "The key, as req.hash."),
  variable(
    "HEADER bereq.http.*",
    pipeAndBackend,
    "A header of the request to the backend.",
    written(pipeAndBackend, { unset: pipeAndBackend }),
  ),
  variable(
    "BOOL bereq.is_bgfetch",
    backend,
    "Whether a stale object was delivered and is refreshed behind it.",
  ),
  variable("BOOL bereq.is_hitmiss", backend, "Whether a hit-for-miss object was hit."),
  variable("BOOL bereq.is_hitpass", backend, "Whether a hit-for-pass object was hit."),
  variable(
    "STRING bereq.method",
    pipeAndBackend,
    "The method; GET where it is not passed.",
    written(pipeAndBackend),
  ),
  variable("STRING bereq.proto", pipeAndBackend, "The protocol."),
  variable("INT bereq.retries", backend, "How often the backend was asked again."),
  variable("DURATION bereq.task_deadline", ["vcl_pipe"], "How long a pipe may last in all.", {
    write: ["vcl_pipe"],
    unset: ["vcl_pipe"],
    since: "7.5",
  }),
  variable("TIME bereq.time", pipeAndBackend, "When the first request to the backend was made."),
  variable("BOOL bereq.trace", backend, "Whether VCL_trace is logged.", written(backend, { since: "7.4" })),
  variable("BOOL bereq.uncacheable", backend, "Whether the answer cannot be stored: a pass."),
  variable("STRING bereq.url", pipeAndBackend, "Path and query.", written(pipeAndBackend)),
  variable("INT bereq.xid", pipeAndBackend, "The id of the request to the backend; a STRING before 7.3."),

  variable("HTTP beresp", answered, "The backend’s whole answer, for vmods."),
  variable("DURATION beresp.age", answered, "The answer’s age."),
  variable("BACKEND beresp.backend", answered, "The backend that answered."),
  variable("STRING beresp.backend.name", answered, "The name of the backend that answered."),
  variable(
    "BODY beresp.body",
    none,
    "The body of an answer that Varnish makes itself.",
    written(["vcl_backend_error"]),
  ),
  variable("BOOL beresp.do_esi", answered, "Looks for ESI in the body.", written(answered)),
  variable("BOOL beresp.do_gunzip", answered, "Stores it unpacked.", written(answered)),
  variable("BOOL beresp.do_gzip", answered, "Stores it packed.", written(answered)),
  variable("BOOL beresp.do_stream", answered, "Sends it while it comes in.", written(answered)),
  variable(
    "STRING beresp.filters",
    response,
    "What the body goes through before it is stored.",
    written(response),
  ),
  variable(
    "DURATION beresp.grace",
    answered,
    "How long it may be delivered after its time.",
    written(answered),
  ),
  variable(
    "HEADER beresp.http.*",
    answered,
    "A header of the backend’s answer.",
    written(answered, { unset: answered }),
  ),
  variable(
    "DURATION beresp.keep",
    answered,
    "How long it is kept after ttl and grace, to ask the backend whether it changed.",
    written(answered),
  ),
  variable("STRING beresp.proto", answered, "The protocol."),
  variable("STRING beresp.reason", answered, "The status’s words.", written(answered)),
  variable("INT beresp.status", answered, "The status.", written(answered)),
  variable("STEVEDORE beresp.storage", answered, "Where the object is stored.", written(answered)),
  variable("TIME beresp.time", answered, "When the backend’s headers had come."),
  variable(
    "BYTES beresp.transit_buffer",
    response,
    "How far a pass may run ahead of the client.",
    written(response, { since: "7.3" }),
  ),
  variable("DURATION beresp.ttl", answered, "How long it is fresh.", written(answered)),
  variable(
    "BOOL beresp.uncacheable",
    answered,
    "True: it is not stored, but that it cannot be is (hit-for-miss).",
    written(answered),
  ),
  variable("BOOL beresp.was_304", answered, "Whether the backend said that it did not change."),

  variable("DURATION obj.age", stored, "The object’s age."),
  variable("BOOL obj.can_esi", stored, "Whether it can be looked through for ESI."),
  variable("DURATION obj.grace", stored, "How long it may be delivered after its time."),
  variable("INT obj.hits", stored, "How often it was hit; 0 in vcl_deliver is a miss."),
  variable("HEADER obj.http.*", hit, "A header of the object."),
  variable("DURATION obj.keep", stored, "How long it is kept after ttl and grace."),
  variable("STRING obj.proto", hit, "The protocol it was fetched by."),
  variable("STRING obj.reason", hit, "The status’s words."),
  variable("INT obj.status", hit, "The status."),
  variable("STEVEDORE obj.storage", stored, "Where it is stored."),
  variable("TIME obj.time", stored, "When the server that made it did so."),
  variable("DURATION obj.ttl", stored, "How long it stays fresh; below 0 it is stale."),
  variable("BOOL obj.uncacheable", ["vcl_deliver"], "Whether it was a pass, hit-for-pass or hit-for-miss."),

  variable("HTTP resp", leaving, "The whole answer to the client, for vmods."),
  variable(
    "BODY resp.body",
    none,
    "The body of an answer that Varnish makes itself.",
    written(["vcl_synth"]),
  ),
  variable("BOOL resp.do_esi", leaving, "Works the ESI of the body.", written(leaving)),
  variable(
    "STRING resp.filters",
    leaving,
    "What the body goes through on its way to the client.",
    written(leaving),
  ),
  variable("HEADER resp.http.*", leaving, "A header of the answer.", written(leaving, { unset: leaving })),
  variable("BOOL resp.is_streaming", leaving, "Whether it is sent while it comes in."),
  variable("STRING resp.proto", leaving, "The protocol."),
  variable("STRING resp.reason", leaving, "The status’s words.", written(leaving)),
  variable("INT resp.status", leaving, "The status.", written(leaving)),
  variable("TIME resp.time", leaving, "When the answer was begun."),

  variable("TIME now", all, "The time at which this subroutine began."),

  variable(
    "DURATION sess.idle_send_timeout",
    client,
    "How long one piece may wait to be sent.",
    written(client),
  ),
  variable(
    "DURATION sess.send_timeout",
    client,
    "How long sending an answer may take in all.",
    written(client),
  ),
  variable(
    "DURATION sess.timeout_idle",
    client,
    "How long the connection waits for the next request.",
    written(client),
  ),
  variable(
    "DURATION sess.timeout_linger",
    client,
    "How long a thread waits for the next request.",
    written(client),
  ),
  variable("INT sess.xid", both, "The session’s id; a STRING before 7.3."),

  variable("BYTES storage.*.free_space", both, "What is free of a storage; of malloc only."),
  variable("BOOL storage.*.happy", both, "How a storage is; no storage of today tells it."),
  variable("BYTES storage.*.used_space", both, "What is used of a storage; of malloc only."),
];

/** Something one writes, what it is for, and what is put in where that is more than the word. */
export type Word = {
  readonly name: string;
  readonly text: string;
  readonly help: string;
  readonly since: string | null;
};
const word = (name: string, text: string, help: string, since: string | null = null): Word => ({
  name,
  text,
  help,
  since,
});

export const declarations: readonly Word[] = [
  word("vcl", "vcl 4.1;", "The version of the language; the first line of the main file."),
  word("import", "import", "Makes a vmod’s functions known."),
  word("include", "include", "Takes in another file; include +glob takes in all that match."),
  word("backend", "backend", "A server to fetch from."),
  word("probe", "probe", "How to find out whether a backend is healthy."),
  word(
    "acl",
    "acl",
    "A list of addresses, to match with ~. Flags: +log, +table, -pedantic, and +fold from 7.5 on.",
  ),
  word("sub", "sub", "A subroutine. Those named vcl_… are called by Varnish."),
];

/** Statements, with the subroutines they are for; null: all. */
export const statements: readonly (Word & { readonly subs: readonly Sub[] | null })[] = [
  { ...word("set", "set", "Gives a variable a value."), subs: null },
  { ...word("unset", "unset", "Removes a header, or a value that was set."), subs: null },
  { ...word("call", "call", "Runs a subroutine of one’s own."), subs: null },
  { ...word("if", "if", "Does something where a condition holds."), subs: null },
  { ...word("elseif", "elseif", "Else, where another condition holds."), subs: null },
  { ...word("else", "else", "Where no condition held."), subs: null },
  {
    ...word(
      "return",
      "return",
      "Ends the subroutine and says what comes next; alone, it leaves a subroutine of one’s own.",
    ),
    subs: null,
  },
  { ...word("new", "new", "Makes an object of a vmod."), subs: ["vcl_init"] },
  { ...word("hash_data", "hash_data", "Adds to the key: hash_data(STRING)."), subs: ["vcl_hash"] },
  {
    ...word(
      "synthetic",
      "synthetic",
      "Sets the body: synthetic(STRING). The same as set resp.body or set beresp.body.",
    ),
    subs: ["vcl_synth", "vcl_backend_error"],
  },
  { ...word("ban", "ban", "Deprecated: std.ban() does the same and tells errors."), subs: null },
];

/** Functions of the language itself. */
export const functions: readonly Word[] = [
  word(
    "regsub",
    "regsub(STRING s, REGEX regex, STRING sub)",
    "Replaces the first match; \\0 is all of it, \\1 a group.",
  ),
  word(
    "regsuball",
    "regsuball(STRING s, REGEX regex, STRING sub)",
    "Replaces all matches; \\0 is all of it, \\1 a group.",
  ),
];

export const backendFields: readonly Word[] = [
  word(".host", ".host = ", "The server’s name or address; with it or .path, a backend is complete."),
  word(".port", ".port = ", "The port or the service’s name; 80 where it is not given."),
  word(".path", ".path = ", "A Unix domain socket, in place of .host."),
  word(".host_header", ".host_header = ", "The Host of requests that have none, and of the probe."),
  word(".connect_timeout", ".connect_timeout = ", "How long to wait for a connection."),
  word(".first_byte_timeout", ".first_byte_timeout = ", "How long to wait for the first byte."),
  word(".between_bytes_timeout", ".between_bytes_timeout = ", "How long to wait from one byte to the next."),
  word(".max_connections", ".max_connections = ", "How many connections there may be at once."),
  word(".probe", ".probe = ", "The probe: its name, or one in place."),
  word(".proxy_header", ".proxy_header = ", "Speaks the PROXY protocol, version 1 or 2."),
  word(".preamble", ".preamble = ", "A blob that is sent first on each connection."),
  word(".via", ".via = ", "A backend that the connection goes through, by the PROXY protocol.", "7.3"),
  word(".authority", ".authority = ", "The TLS name that .via is told.", "7.3"),
  word(".wait_limit", ".wait_limit = ", "How many may wait when .max_connections is reached.", "7.6"),
  word(".wait_timeout", ".wait_timeout = ", "How long to wait when .max_connections is reached.", "7.6"),
];

export const probeFields: readonly Word[] = [
  word(".url", ".url = ", "What is asked; / where it is not given."),
  word(".request", ".request = ", "The whole request, line by line, in place of .url."),
  word(
    ".expected_response",
    ".expected_response = ",
    "The status of a healthy answer; 200 where it is not given.",
  ),
  word(".timeout", ".timeout = ", "How fast the answer must come; 2s where it is not given."),
  word(".interval", ".interval = ", "How often it is asked; every 5s where it is not given."),
  word(
    ".initial",
    ".initial = ",
    "How many of the window are good at the start; .threshold - 1 where not given.",
  ),
  word(".window", ".window = ", "How many answers are looked at; 8 where it is not given."),
  word(".threshold", ".threshold = ", "How many of the window must be good; 3 where it is not given."),
  word(".expect_close", ".expect_close = ", "Whether the backend must close the connection.", "7.3"),
];

/** Headers that VCL is often about. */
export const headers: readonly string[] = [
  "Accept",
  "Accept-Encoding",
  "Accept-Language",
  "Age",
  "Authorization",
  "Cache-Control",
  "Content-Encoding",
  "Content-Length",
  "Content-Type",
  "Cookie",
  "Date",
  "ETag",
  "Expires",
  "Host",
  "If-Modified-Since",
  "If-None-Match",
  "Last-Modified",
  "Location",
  "Origin",
  "Range",
  "Referer",
  "Server",
  "Set-Cookie",
  "Surrogate-Control",
  "Surrogate-Key",
  "Upgrade",
  "User-Agent",
  "Vary",
  "Via",
  "X-Forwarded-For",
  "X-Forwarded-Proto",
  "xkey",
];

/** The variable a name stands for; req.http.Cookie is one of req.http.*. Names of headers and storages may be any. */
export function variableNamed(name: string): Variable | undefined {
  return variables.find((one) => {
    const star = one.name.indexOf("*");
    if (star < 0) return one.name === name;
    const [before = "", after = ""] = one.name.split("*");
    return name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after);
  });
}

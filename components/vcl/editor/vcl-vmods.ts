// The vmods of Varnish 7 and of varnish-modules: their functions and objects, with signatures as in their manual pages.

/** A function, a method, or how an object is made. `parameters` with their brackets; `returns` is VOID for a statement. */
export type Callable = {
  readonly name: string;
  readonly returns: string;
  readonly parameters: string;
  readonly help: string;
  /** The first version that has it, where that is later than 7.0. */
  readonly since: string | null;
};
export type VmodObject = Callable & { readonly methods: readonly Callable[] };
export type Vmod = {
  readonly name: string;
  readonly help: string;
  readonly functions: readonly Callable[];
  readonly objects: readonly VmodObject[];
};

/** Takes a signature as manuals write it: "STRING get(STRING name)". */
function call(signature: string, help: string, since: string | null = null): Callable {
  const [, returns = "", name = "", parameters = ""] = /^(\w+) (\w+)(\(.*\))$/.exec(signature) ?? [];
  return { name, returns, parameters, help, since };
}
const object = (signature: string, help: string, ...methods: Callable[]): VmodObject => ({
  ...call(`OBJECT ${signature}`, help),
  methods,
});

const encodings = "ENUM {IDENTITY, BASE64, BASE64URL, BASE64URLNOPAD, BASE64CF, HEX, URL}";
const letters = "ENUM {LOWER, UPPER, DEFAULT} case = DEFAULT";
const workspaces = "ENUM {client, backend, session, thread}";
const throttle = "STRING key, INT limit, DURATION period";
const shardKey = "[ENUM {HASH, URL, KEY, BLOB} by = HASH], [INT key], [BLOB key_blob], [INT alt = 0]";
const shardHealth = "[ENUM {CHOSEN, IGNORE, ALL} healthy = CHOSEN]";

const add = call("VOID add_backend(BACKEND backend)", "Adds a backend.");
const remove = call("VOID remove_backend(BACKEND backend)", "Takes a backend out.");
const pick = call("BACKEND backend()", "A healthy backend, as this director picks it.");

export const vmods: readonly Vmod[] = [
  {
    name: "std",
    help: "Varnish’s own standard functions.",
    functions: [
      call("REAL random(REAL lo, REAL hi)", "A random number between two."),
      call("REAL round(REAL r)", "The nearest whole number."),
      call('VOID collect(HEADER hdr, STRING sep = ", ")', "Joins all headers of one name into one."),
      call("STRING querysort(STRING url)", "The URL with its parameters in order."),
      call("STRING toupper(STRING s)", "In upper case."),
      call("STRING tolower(STRING s)", "In lower case."),
      call("STRING strstr(STRING s1, STRING s2)", "The rest of s1 from where s2 begins in it."),
      call(
        "BOOL fnmatch(STRING pattern, STRING subject, BOOL pathname = 1, BOOL noescape = 0, BOOL period = 0)",
        "Whether a shell pattern matches.",
      ),
      call("STRING fileread(STRING path)", "What a file holds; read once and kept."),
      call("BLOB blobread(STRING path)", "What a file holds, as a blob; read once and kept."),
      call("BOOL file_exists(STRING path)", "Whether the file is there."),
      call("BOOL healthy(BACKEND be)", "Whether the backend or director is healthy."),
      call("INT port(IP ip)", "The port of an address."),
      call(
        "DURATION duration([STRING s], [DURATION fallback], [REAL real], [INT integer])",
        "Makes a duration: give one of s, real or integer.",
      ),
      call(
        "BYTES bytes([STRING s], [BYTES fallback], [REAL real], [INT integer])",
        "Makes a size: give one of s, real or integer.",
      ),
      call(
        "INT integer([STRING s], [INT fallback], [BOOL bool], [BYTES bytes], [DURATION duration], [REAL real], [TIME time])",
        "Makes a whole number; fallback where it cannot.",
      ),
      call(
        "IP ip(STRING s, [IP fallback], BOOL resolve = 1, [STRING p])",
        "Makes an address; fallback where it cannot.",
      ),
      call(
        "REAL real([STRING s], [REAL fallback], [INT integer], [BOOL bool], [BYTES bytes], [DURATION duration], [TIME time])",
        "Makes a number; fallback where it cannot.",
      ),
      call(
        "TIME time([STRING s], [TIME fallback], [REAL real], [INT integer])",
        "Makes a time: of a date, or of seconds since 1970.",
      ),
      call("STRING strftime(TIME time, STRING format)", "A time as text, in UTC.", "7.1"),
      call(
        "TIME now()",
        "The time at the call; the variable now stays that of the subroutine’s start.",
        "7.2",
      ),
      call("DURATION timed_call(SUB sub)", "Calls a subroutine and tells how long it took.", "7.2"),
      call("VOID log(STRING s)", "Writes a line to the log, under VCL_Log."),
      call("VOID syslog(INT priority, STRING s)", "Writes a line to syslog."),
      call("VOID timestamp(STRING s)", "Writes a Timestamp to the log, under this name."),
      call("BOOL syntax(REAL version)", "Whether the VCL’s version is at least this."),
      call("STRING getenv(STRING name)", "A variable of varnishd’s environment."),
      call(
        "BOOL cache_req_body(BYTES size)",
        "Keeps the request’s body, up to a size, so that it can be sent again.",
      ),
      call("VOID late_100_continue(BOOL late)", "Whether 100 Continue waits until the body is wanted."),
      call("VOID set_ip_tos(INT tos)", "Sets the type of service of the connection."),
      call("VOID rollback(HTTP h)", "Puts req or bereq back to what it was at first."),
      call("BOOL ban(STRING expression)", "Bans what matches; false where the expression is wrong."),
      call("STRING ban_error()", "Why the last std.ban() failed."),
      call("INT real2integer(REAL r, INT fallback)", "Deprecated: std.integer(real = …)."),
      call("TIME real2time(REAL r, TIME fallback)", "Deprecated: std.time(real = …)."),
      call("INT time2integer(TIME t, INT fallback)", "Deprecated: std.integer(time = …)."),
      call("REAL time2real(TIME t, REAL fallback)", "Deprecated: std.real(time = …)."),
    ],
    objects: [],
  },
  {
    name: "cookie",
    help: "Reads and changes cookies one by one.",
    functions: [
      call(
        "VOID parse(STRING cookieheader)",
        "Reads a Cookie header; everything else works on what it read.",
      ),
      call("STRING get(STRING cookiename)", "A cookie’s value."),
      call("STRING get_re(REGEX expression)", "The value of the first cookie whose name matches."),
      call("STRING get_string()", "All cookies as one Cookie header."),
      call("BOOL isset(STRING cookiename)", "Whether there is such a cookie."),
      call("VOID set(STRING cookiename, STRING value)", "Sets a cookie."),
      call("VOID delete(STRING cookiename)", "Removes a cookie."),
      call("VOID keep(STRING names)", "Removes all cookies but these; names with commas between."),
      call("VOID keep_re(REGEX expression)", "Removes all cookies but those whose name matches."),
      call("VOID filter(STRING names)", "Removes these cookies; names with commas between."),
      call("VOID filter_re(REGEX expression)", "Removes the cookies whose name matches."),
      call("VOID clean()", "Removes all cookies that were read."),
      call("STRING format_date(TIME now, DURATION timedelta)", "A date for a cookie’s Expires.", "7.1"),
      call("STRING format_rfc1123(TIME now, DURATION timedelta)", "The older name of cookie.format_date()."),
    ],
    objects: [],
  },
  {
    name: "purge",
    help: "Purges the object that was looked up, in vcl_hit and vcl_miss.",
    functions: [
      call("INT hard()", "Removes the object in all its variants; gives how many."),
      call(
        "INT soft(DURATION ttl = 0, DURATION grace = -1, DURATION keep = -1)",
        "Makes the object stale in all its variants; gives how many.",
      ),
    ],
    objects: [],
  },
  {
    name: "directors",
    help: "Several backends as one.",
    functions: [call("BACKEND lookup(STRING name)", "A backend by its name; in vcl_init and vcl_fini only.")],
    objects: [
      object("round_robin()", "One backend after the other.", add, remove, pick),
      object(
        "fallback(BOOL sticky = 0)",
        "The first healthy backend, in the order they were added.",
        add,
        remove,
        pick,
      ),
      object(
        "random()",
        "A backend by chance, by weight.",
        call("VOID add_backend(BACKEND backend, REAL weight)", "Adds a backend with its weight."),
        remove,
        pick,
      ),
      object(
        "hash()",
        "The same backend for the same text.",
        call("VOID add_backend(BACKEND backend, REAL weight = 1.0)", "Adds a backend with its weight."),
        remove,
        call("BACKEND backend(STRING key)", "The backend for this text."),
      ),
      object(
        "shard()",
        "Consistent hashing: few keys move when a backend comes or goes.",
        call(
          "BOOL add_backend(BACKEND backend, [STRING ident], [DURATION rampup], [REAL weight])",
          "Adds a backend; it counts after reconfigure().",
        ),
        call(
          "BOOL remove_backend([BACKEND backend], [STRING ident])",
          "Takes a backend out; it counts after reconfigure().",
        ),
        call("BOOL clear()", "Takes all backends out; it counts after reconfigure()."),
        call("BOOL reconfigure(INT replicas = 67)", "Makes the ring of what was added and removed."),
        call(
          `BACKEND backend(${shardKey}, [REAL warmup = -1], [BOOL rampup = 1], ${shardHealth}, [BLOB param], [ENUM {NOW, LAZY} resolve])`,
          "The backend for a key.",
        ),
        call("INT key(STRING s)", "A key of a text, for backend(by = KEY)."),
        call(
          "VOID set_warmup(REAL probability = 0.0)",
          "How often the next backend is taken, to warm it up.",
        ),
        call("VOID set_rampup(DURATION duration = 0)", "How long a backend that came back is spared."),
        call("VOID associate(BLOB param)", "Takes its settings from a shard_param."),
        call("VOID debug(INT flags)", "For the director’s developers."),
      ),
      object(
        "shard_param()",
        "Settings that several shard directors share.",
        call(
          `VOID set(${shardKey}, [REAL warmup = -1], [BOOL rampup = 1], ${shardHealth})`,
          "Sets what is given.",
        ),
        call("VOID clear()", "Back to how it was made."),
        call("STRING get_by()", "What is hashed."),
        call("INT get_key()", "The key."),
        call("INT get_alt()", "Which alternative backend is taken."),
        call("REAL get_warmup()", "The warm-up’s probability."),
        call("BOOL get_rampup()", "Whether backends that came back are spared."),
        call("STRING get_healthy()", "Which backends must be healthy."),
        call("BLOB use()", "For the param of shard.backend()."),
      ),
    ],
  },
  {
    name: "unix",
    help: "Who is at the other end of a Unix domain socket.",
    functions: [
      call("STRING user()", "The peer’s user."),
      call("STRING group()", "The peer’s group."),
      call("INT uid()", "The peer’s user id."),
      call("INT gid()", "The peer’s group id."),
    ],
    objects: [],
  },
  {
    name: "blob",
    help: "Encodes and decodes: base64, hex, URL.",
    functions: [
      call(
        `BLOB decode(${encodings} decoding = IDENTITY, INT length = 0, STRING encoded)`,
        "A blob of a text that is encoded so.",
      ),
      call(
        `STRING encode(${encodings} encoding = IDENTITY, ${letters}, BLOB blob)`,
        "A blob as text, encoded so.",
      ),
      call(
        `STRING transcode(${encodings} decoding = IDENTITY, ${encodings} encoding = IDENTITY, ${letters}, INT length = 0, STRING encoded)`,
        "From one encoding to another.",
      ),
      call("BOOL same(BLOB a, BLOB b)", "Whether both are the same piece of memory."),
      call("BOOL equal(BLOB a, BLOB b)", "Whether both hold the same."),
      call("INT length(BLOB blob)", "How many bytes."),
      call("BLOB sub(BLOB blob, BYTES length, BYTES offset = 0B)", "A part of a blob."),
    ],
    objects: [
      object(
        `blob(${encodings} decoding = IDENTITY, STRING encoded)`,
        "A blob that is decoded once.",
        call("BLOB get()", "The blob."),
        call(`STRING encode(${encodings} encoding = IDENTITY, ${letters})`, "The blob as text, encoded so."),
      ),
    ],
  },
  {
    name: "proxy",
    help: "What the PROXY protocol, version 2, tells of the client’s TLS.",
    functions: [
      call("STRING alpn()", "The protocol that was agreed on, such as h2."),
      call("STRING authority()", "The host name the client asked for (SNI)."),
      call("BOOL is_ssl()", "Whether the client came by TLS."),
      call("BOOL client_has_cert_sess()", "Whether the client showed a certificate in this TLS session."),
      call("BOOL client_has_cert_conn()", "Whether the client showed a certificate on this connection."),
      call("INT ssl_verify_result()", "0 where the client’s certificate was right."),
      call("STRING ssl_version()", "The version of TLS."),
      call("STRING client_cert_cn()", "The common name of the client’s certificate."),
      call("STRING ssl_cipher()", "The cipher."),
      call("STRING cert_sign()", "The algorithm that signed the certificate."),
      call("STRING cert_key()", "The algorithm of the certificate’s key."),
    ],
    objects: [],
  },
  {
    name: "vtc",
    help: "For varnishtest; not for servers that people use.",
    functions: [
      call("VOID barrier_sync(STRING addr, DURATION timeout = 0)", "Waits at a barrier of varnishtest."),
      call("BACKEND no_backend()", "No backend at all."),
      call("STEVEDORE no_stevedore()", "No storage at all."),
      call("IP no_ip()", "No address at all."),
      call("VOID panic(STRING s)", "Makes the worker process panic."),
      call("VOID sleep(DURATION duration)", "Does nothing for a time."),
      call(`VOID workspace_alloc(${workspaces}, INT size)`, "Takes from a workspace."),
      call(`BYTES workspace_reserve(${workspaces}, INT size)`, "Tries to reserve in a workspace."),
      call(`INT workspace_free(${workspaces})`, "How much of a workspace is free."),
      call(`VOID workspace_snapshot(${workspaces})`, "Remembers a workspace."),
      call(`VOID workspace_reset(${workspaces})`, "Puts a workspace back to what was remembered."),
      call(`BOOL workspace_overflowed(${workspaces})`, "Whether a workspace was too small."),
      call(`VOID workspace_overflow(${workspaces})`, "Marks a workspace as too small."),
      call(
        `BLOB workspace_dump(${workspaces}, ENUM {s, f, r}, BYTES off = 0, BYTES len = 64)`,
        "A part of a workspace.",
      ),
      call("INT typesize(STRING types)", "The size of C types."),
      call(
        "BLOB proxy_header(ENUM {v1, v2} version, IP client, IP server, STRING authority = 0)",
        "A header of the PROXY protocol, for a backend’s preamble.",
      ),
      call("VOID vsl(INT vxid, STRING tag, ENUM {c, b} side, STRING s)", "Writes a record to the log."),
      call("VOID vsl_replay(STRING s)", "Writes lines of varnishlog -g raw to the log again."),
    ],
    objects: [],
  },
  {
    name: "xkey",
    help: "varnish-modules: purges by the tags of the response header xkey.",
    functions: [
      call("INT purge(STRING keys)", "Removes all objects that have one of the tags; gives how many."),
      call(
        "INT softpurge(STRING keys)",
        "Makes all objects stale that have one of the tags; gives how many.",
      ),
    ],
    objects: [],
  },
  {
    name: "var",
    help: "varnish-modules: variables of a request, and global ones.",
    functions: [
      call("VOID set(STRING key, STRING value)", "Sets a text, for this request."),
      call("STRING get(STRING key)", "A text that was set."),
      call("VOID set_string(STRING key, STRING value)", "Sets a text, for this request."),
      call("STRING get_string(STRING key)", "A text that was set."),
      call("VOID set_int(STRING key, INT value)", "Sets a whole number, for this request."),
      call("INT get_int(STRING key)", "A whole number that was set."),
      call("VOID set_real(STRING key, REAL value)", "Sets a number, for this request."),
      call("REAL get_real(STRING key)", "A number that was set."),
      call("VOID set_duration(STRING key, DURATION value)", "Sets a duration, for this request."),
      call("DURATION get_duration(STRING key)", "A duration that was set."),
      call("VOID set_ip(STRING key, IP value)", "Sets an address, for this request."),
      call("IP get_ip(STRING key)", "An address that was set."),
      call("VOID set_backend(STRING key, BACKEND value)", "Sets a backend, for this request."),
      call("BACKEND get_backend(STRING key)", "A backend that was set."),
      call("VOID global_set(STRING key, STRING value)", "Sets a text for all requests and all VCLs."),
      call("STRING global_get(STRING key)", "A text that was set for all."),
      call("VOID clear()", "Forgets what was set for this request."),
    ],
    objects: [],
  },
  {
    name: "header",
    help: "varnish-modules: headers that occur several times, such as Set-Cookie.",
    functions: [
      call("VOID append(HEADER header, STRING value)", "Adds one more header of this name."),
      call("VOID copy(HEADER from, HEADER to)", "Copies all headers of one name to another."),
      call("STRING get(HEADER header, REGEX regex)", "The first header of this name that matches."),
      call("VOID remove(HEADER header, REGEX regex)", "Removes the headers of this name that match."),
      call(
        "VOID regsub(HTTP http, REGEX regex, STRING sub, BOOL all = 0)",
        "Replaces in all header lines, their names too.",
      ),
      call("HEADER dyn(HTTP http, STRING name)", "A header whose name is known only when it runs."),
    ],
    objects: [],
  },
  {
    name: "bodyaccess",
    help: "varnish-modules: the request’s body, after std.cache_req_body().",
    functions: [
      call(
        "INT rematch_req_body(REGEX re)",
        "1 where the body matches, 0 where not, -1 where it cannot be read.",
      ),
      call("VOID hash_req_body()", "Makes the body a part of the key; in vcl_hash."),
      call("INT len_req_body()", "How long the body is; -1 where it cannot be read."),
      call('VOID log_req_body(STRING prefix = "", INT length = 200)', "Writes the body to the log."),
    ],
    objects: [],
  },
  {
    name: "saintmode",
    help: "varnish-modules: a backend that is ill for some objects only.",
    functions: [
      call(
        "VOID blacklist(DURATION expires)",
        "Marks the backend as ill for this object; in vcl_backend_response.",
      ),
      call("STRING status()", "All saintmode backends and how they are, as JSON."),
    ],
    objects: [
      object(
        "saintmode(BACKEND backend, INT threshold)",
        "A backend that is ill when so many objects are blacklisted.",
        call("BACKEND backend()", "The backend, for a director or a hint."),
        call("INT blacklist_count()", "How many objects are blacklisted."),
        call("BOOL is_healthy()", "Whether it is healthy for this object."),
      ),
    ],
  },
  {
    name: "tcp",
    help: "varnish-modules: the client’s TCP connection.",
    functions: [
      call(
        "INT congestion_algorithm(STRING algorithm)",
        "Sets the congestion control; 0 where it was taken.",
      ),
      call("VOID dump_info()", "Writes the connection’s TCP_INFO to the log."),
      call("REAL get_estimated_rtt()", "The estimated round trip in milliseconds."),
      call("VOID set_socket_pace(INT rate)", "Limits the speed, in KB/s."),
    ],
    objects: [],
  },
  {
    name: "str",
    help: "varnish-modules: small functions for text.",
    functions: [
      call("INT count(STRING s)", "How many characters."),
      call("BOOL startswith(STRING s1, STRING s2)", "Whether s1 begins with s2."),
      call("BOOL endswith(STRING s1, STRING s2)", "Whether s1 ends with s2."),
      call("BOOL contains(STRING s1, STRING s2)", "Whether s2 is in s1."),
      call("STRING take(STRING s, INT n, INT offset = 0)", "n characters of a text."),
      call("STRING reverse(STRING s)", "The text from its end to its beginning."),
      call(
        'STRING split(STRING s, INT n, STRING sep = " \\t")',
        "The nth part of a text, from 1; from the end where negative.",
      ),
    ],
    objects: [],
  },
  {
    name: "vsthrottle",
    help: "varnish-modules: limits how often something may be asked.",
    functions: [
      call(
        `BOOL is_denied(${throttle}, DURATION block = 0)`,
        "Counts one more; true where there were too many in the period.",
      ),
      call(`VOID return_token(${throttle}, DURATION block = 0)`, "Gives one back."),
      call(`INT remaining(${throttle}, DURATION block = 0)`, "How many are left."),
      call(`DURATION blocked(${throttle}, DURATION block)`, "How long the key stays blocked."),
    ],
    objects: [],
  },
  {
    name: "accept",
    help: "varnish-modules: makes few values of an Accept or Accept-Language header.",
    functions: [],
    objects: [
      object(
        "rule(STRING fallback)",
        "A set of values, and the one that is taken where none fits.",
        call("VOID add(STRING value)", "Adds a value."),
        call("VOID remove(STRING value)", "Takes a value out."),
        call("STRING filter(STRING header)", "The value that fits a header best."),
      ),
    ],
  },
];

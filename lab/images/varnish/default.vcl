# The VCL that Sluice recommends. It speaks protocol 1 (header Sluice-VCL: 1): purge by address, by
# tag, by regex; soft or hard; and PEEK, which tells what is cached without fetching or filling.
#
# THE CACHE KEY is host + url, made from what the client sent like this, in this order:
#   1. host: lower case; port and one trailing dot removed (Site.Example:8443 -> site.example)
#   2. url: everything from the first "#" on is dropped
#   3. url: tracking parameters are dropped (the list is in sub normalise_request)
#   4. url: parameters are sorted by name and value; a trailing "?" or "&" is dropped
# Nothing else is touched: a trailing slash, percent-encoding and letter case of the path matter, as
# they do to most applications. Every verb below runs through the same steps, so a client of this
# protocol sends the public address as it is and need not compute the key; only a regex of BAN is
# matched against the finished url.
#
# THE PROTOCOL
#   PURGE <url>                         the object in all its Vary variants; Sluice-Soft: 1 keeps grace
#   PURGE + xkey: a b                   every object with one of the tags
#   PURGE + xkey-softpurge: a b         the same, soft
#   BAN + Sluice-Ban-Host: h            the whole host; + Sluice-Ban-Regex: r  its urls that match
#   BAN + Sluice-Ban-All: 1             everything
#   PEEK <url>                          200 HIT with Sluice-TTL, -Age, -Grace, -Hits, -Tags, -Revision,
#                                       or 404 MISS
#   Answers: 200 done (Sluice-Purged: <objects> for PURGE; by tag it counts objects that a ban has
#   condemned but the lurker not yet removed, too), 400 refused because of what was asked,
#   403 refused because of who asked, 405 unknown method. All carry Sluice-Boot, which changes when
#   the cache was lost (child or container restart), so that a client knows what it need not replay.
#
# Lines with @...@ are filled in by the container's start; in your own copy write networks and host.
vcl 4.1;

import std;
import cookie;
import purge;
import var;
import xkey;

# May ask, purge and ban. Networks, never a forwarded-for header: that is the client's own word.
acl sluice {
@SLUICE_NETWORKS@
}

# May purge and ban, but not PEEK: applications that call Varnish themselves.
acl purgers {
@PURGER_NETWORKS@
}

probe backend_probe {
    # A file of the web server itself: a slow application must not make every node go into grace.
    .url = "/lab-health";
    .interval = 2s;
    .timeout = 1s;
    .window = 5;
    .threshold = 3;
    .initial = 3;
}

backend default {
@BACKEND_HOST@
@BACKEND_PORT@
    .connect_timeout = 2s;
    .first_byte_timeout = 30s;
    .between_bytes_timeout = 10s;
    .max_connections = 200;
    .probe = backend_probe;
}

sub vcl_init {
    # A global of vmod var lives in the child's memory, as the cache does: it survives a reload of
    # the VCL (the cache does too) and goes with the child (so does the cache). That is just what
    # "was the cache lost?" asks for.
    if (!var.global_get("sluice-boot")) {
        var.global_set("sluice-boot",
            std.time2integer(now, 0) + "-" + std.real2integer(std.random(100000000, 999999999), 0));
    }
}

sub normalise_request {
    set req.http.host = std.tolower(regsub(regsub(req.http.host, ":[0-9]+$", ""), "\.$", ""));
    set req.url = regsub(req.url, "#.*$", "");
    if (req.url ~ "\?") {
        # Each is set by an advertiser or a mailer and read by a script in the page, never by us.
        set req.url = regsuball(req.url,
            "(?<=[?&])(utm_[a-z0-9_]+|gclid|gclsrc|gbraid|wbraid|dclid|fbclid|msclkid|yclid|twclid|ttclid|igshid|mc_cid|mc_eid|_ga|_gl|_hsenc|_hsmi|mkt_tok|pk_[a-z]+|mtm_[a-z]+)(=[^&]*)?(&|$)", "");
        set req.url = std.querysort(req.url);
        set req.url = regsub(req.url, "[?&]+$", "");
    }
}

# What a backend may put into Vary. A visitor and PEEK must come to the same words, or PEEK would look
# at another variant than the one that is served. (PURGE and BAN remove all variants anyway.)
sub normalise_variant {
    # A GET has no body, so this says nothing, but "Vary: Content-Type" would split the cache on it.
    unset req.http.Content-Type;
    # Browsers, SSR and curl all word Accept differently; the API knows two meanings.
    if (req.url ~ "^/api/") {
        if (req.http.Accept ~ "application/ld\+json") {
            set req.http.Accept = "application/ld+json";
        } else {
            set req.http.Accept = "application/json";
        }
    }
}

sub vcl_recv {
    # Names of our own that a client must not be able to set.
    unset req.http.x-sluice-count;
    unset req.http.x-sluice-peek;
    unset req.http.x-sluice-banned;
    unset req.http.x-sluice-tags;
    unset req.http.x-sluice-revision;

    # A load balancer asks whether this node is well. What lies behind it is the backend probe's question: a node
    # without a backend still serves what it holds.
    if (req.url == "/lab-health") {
        return (synth(200, "OK"));
    }

    call normalise_request;

    # Before anything else looks at the method: these are handled here and reach no backend.
    if (req.restarts == 0 && (req.method == "PURGE" || req.method == "BAN" || req.method == "PEEK")) {
        call sluice_verb;
    }

    if (req.method != "GET" && req.method != "HEAD" && req.method != "PUT" && req.method != "POST"
        && req.method != "PATCH" && req.method != "DELETE" && req.method != "OPTIONS") {
        return (synth(405, "Method not allowed"));
    }

    # While the backend is well, stale content is only good for hiding one refresh; when it is ill,
    # the whole grace of the object (set at fetch) is.
    if (std.healthy(req.backend_hint)) {
        set req.grace = 60s;
    }

    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    if (req.url ~ "^/admin(/|\?|$)") {
        return (pass);
    }
    if (req.http.Authorization) {
        return (pass);
    }
    call normalise_variant;

    # Consent banners and statistics set cookies on every visitor; only a session makes a page personal.
    if (req.http.Cookie) {
        cookie.parse(req.http.Cookie);
        cookie.keep("PHPSESSID");
        set req.http.Cookie = cookie.get_string();
        if (req.http.Cookie == "") {
            unset req.http.Cookie;
        } else {
            return (pass);
        }
    }
    return (hash);
}

sub sluice_verb {
    if (client.ip !~ sluice) {
        if (req.method == "PEEK") {
            return (synth(403, "PEEK refused: " + client.ip + " is not in acl sluice"));
        }
        if (client.ip !~ purgers) {
            return (synth(403, req.method + " refused: " + client.ip + " is neither in acl sluice nor in acl purgers"));
        }
    }
    # A page that is being fetched this moment must not make us wait for it.
    set req.hash_ignore_busy = true;

    if (req.method == "PEEK") {
        set req.http.x-sluice-peek = "1";
        call normalise_variant;
        return (hash);
    }
    if (req.method == "BAN") {
        call sluice_ban;
    }

    if (req.http.xkey && req.http.xkey-softpurge) {
        return (synth(400, "xkey and xkey-softpurge exclude each other"));
    }
    if (req.http.xkey || req.http.xkey-softpurge) {
        # No tag at all would be a purge of nothing that answers "done".
        if (req.http.xkey !~ "[^\s,]" && req.http.xkey-softpurge !~ "[^\s,]") {
            return (synth(400, "no tag given"));
        }
        if (req.http.xkey) {
            set req.http.x-sluice-count = xkey.purge(regsuball(req.http.xkey, ",", " "));
        } else {
            set req.http.x-sluice-count = xkey.softpurge(regsuball(req.http.xkey-softpurge, ",", " "));
        }
        return (synth(200, "Purged"));
    }
    # The purge itself happens in vcl_miss; always missing spares a PURGE from counting as a hit.
    set req.hash_always_miss = true;
    return (hash);
}

# Bans look only at what the object itself carries (obj.*): the ban lurker can then work them off in
# the background. One ban on req.* would stay for ever and be tested on every hit.
sub sluice_ban {
    if (req.http.Sluice-Ban-All) {
        if (req.http.Sluice-Ban-All != "1" || req.http.Sluice-Ban-Host || req.http.Sluice-Ban-Regex) {
            return (synth(400, "Sluice-Ban-All is 1 and stands alone"));
        }
        set req.http.x-sluice-banned = "obj.status != 0";
    } else {
        if (!req.http.Sluice-Ban-Host) {
            return (synth(400, "BAN needs Sluice-Ban-Host or Sluice-Ban-All: 1"));
        }
        # The value becomes a word of a ban expression: what could end that word is refused.
        set req.http.Sluice-Ban-Host = std.tolower(req.http.Sluice-Ban-Host);
        if (req.http.Sluice-Ban-Host !~ "^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$") {
            return (synth(400, "Sluice-Ban-Host is not a bare host name"));
        }
        set req.http.x-sluice-banned = "obj.http.x-host == " + req.http.Sluice-Ban-Host;
        if (req.http.Sluice-Ban-Regex) {
            if (req.http.Sluice-Ban-Regex == "") {
                return (synth(400, "Sluice-Ban-Regex is empty"));
            }
            if (req.http.Sluice-Ban-Regex ~ {"[\s"'&]"} || req.http.Sluice-Ban-Regex ~ "[^\x21-\x7e]") {
                return (synth(400, "Sluice-Ban-Regex may not hold white space, quotes or an ampersand"));
            }
            set req.http.x-sluice-banned = req.http.x-sluice-banned
                + " && obj.http.x-url ~ " + req.http.Sluice-Ban-Regex;
        }
    }
    if (std.ban(req.http.x-sluice-banned)) {
        return (synth(200, "Banned"));
    }
    return (synth(400, std.ban_error()));
}

sub vcl_hit {
    if (req.method == "PEEK") {
        set req.http.x-sluice-ttl = obj.ttl;
        set req.http.x-sluice-age = obj.age;
        set req.http.x-sluice-grace = obj.grace;
        set req.http.x-sluice-hits = obj.hits;
        set req.http.x-sluice-tags = obj.http.xkey;
        set req.http.x-sluice-revision = obj.http.X-Revision;
        return (synth(200, "HIT"));
    }
}

sub vcl_miss {
    if (req.method == "PEEK") {
        return (synth(404, "MISS"));
    }
    if (req.method == "PURGE") {
        # Soft leaves the object to be served while a fresh one is fetched: right for a busy page
        # in front of a slow backend, wrong for content that must be gone.
        if (req.http.Sluice-Soft == "1") {
            set req.http.x-sluice-count = purge.soft(0s);
        } else {
            set req.http.x-sluice-count = purge.hard();
        }
        return (synth(200, "Purged"));
    }
}

sub vcl_pass {
    if (req.method == "PEEK") {
        return (synth(404, "MISS"));
    }
}

sub vcl_backend_response {
    # What bans compare with. Stored, because a ban may not look at the request.
    set beresp.http.x-url = bereq.url;
    set beresp.http.x-host = bereq.http.host;

    # xkey reads one header; frameworks name theirs differently.
    if (beresp.http.Cache-Tags || beresp.http.Surrogate-Key) {
        set beresp.http.xkey = regsuball(
            beresp.http.xkey + " " + regsuball(beresp.http.Cache-Tags, ",", " ") + " " + beresp.http.Surrogate-Key,
            "\s+", " ");
        set beresp.http.xkey = regsuball(beresp.http.xkey, "^ | $", "");
    }

    if (beresp.status >= 500) {
        # An old page is better than a new error, and an error is not worth keeping.
        if (bereq.is_bgfetch) {
            return (abandon);
        }
        set beresp.uncacheable = true;
        set beresp.ttl = 5s;
        return (deliver);
    }
    if (beresp.status == 404 && beresp.ttl > 30s) {
        # A page just published must not stay "not found" for as long as a page stays a page.
        set beresp.ttl = 30s;
    }

    # How long the site stays up when the backend is down; vcl_recv shortens it while all is well.
    set beresp.grace = 1h;
    set beresp.keep = 10m;

    if (beresp.http.Content-Type ~ "(?i)^(text/|application/(json|ld\+json|javascript|xml)|image/svg)") {
        set beresp.do_gzip = true;
    }
    # No return: the built-in code after this refuses to keep private, no-store, Set-Cookie and
    # "Vary: *", and remembers the refusal (hit-for-miss) so that such pages are not queued.
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
        set resp.http.X-Cache-Hits = obj.hits;
    } else {
        set resp.http.X-Cache = "MISS";
    }
    set resp.http.X-Served-By = server.identity;
    # Inner workings. Cache-Tag stays: the CDN in front reads (and removes) it.
    unset resp.http.x-url;
    unset resp.http.x-host;
    unset resp.http.xkey;
    unset resp.http.Cache-Tags;
    unset resp.http.Surrogate-Key;
    unset resp.http.Via;
}

sub vcl_synth {
    if (req.method == "PURGE" || req.method == "BAN" || req.method == "PEEK") {
        set resp.http.Sluice-VCL = "1";
        set resp.http.Sluice-Boot = var.global_get("sluice-boot");
        if (req.method == "PURGE" && resp.status == 200) {
            set resp.http.Sluice-Purged = req.http.x-sluice-count;
        }
        if (req.http.x-sluice-peek) {
            set resp.http.Sluice-Cache = resp.reason;
            if (resp.status == 200) {
                set resp.http.Sluice-TTL = req.http.x-sluice-ttl;
                set resp.http.Sluice-Age = req.http.x-sluice-age;
                set resp.http.Sluice-Grace = req.http.x-sluice-grace;
                set resp.http.Sluice-Hits = req.http.x-sluice-hits;
                if (req.http.x-sluice-tags != "") {
                    set resp.http.Sluice-Tags = req.http.x-sluice-tags;
                }
                if (req.http.x-sluice-revision != "") {
                    set resp.http.Sluice-Revision = req.http.x-sluice-revision;
                }
            }
        }
        set resp.http.Content-Type = "text/plain; charset=utf-8";
        set resp.http.Cache-Control = "no-store";
        set resp.body = resp.reason + {"
"};
        return (deliver);
    }
}

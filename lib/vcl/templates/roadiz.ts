// Roadiz (Symfony) as the back office and API, Nuxt as the site in front of it.

export const roadizVcl = String.raw`# Varnish in front of Roadiz (Symfony) and Nuxt: Nuxt renders the pages, Roadiz gives it the content by its API and
# serves media and the back office.
#
# TO BE CHANGED: the two acls, the two backends, and the paths in "sub choose_backend" if yours are others.
# Start varnishd with room for long lists of tags: -p http_resp_hdr_len=64k -p http_resp_size=128k
#   -p workspace_backend=256k -p workspace_client=256k
vcl 4.1;

import cookie;
import std;

# May ask, purge and ban: Sluice's own address, as Varnish sees it.
acl sluice {
    "127.0.0.1";
}

# May purge and ban, but not ask: applications that call Varnish themselves (Roadiz, its workers).
acl purgers {
    "127.0.0.1";
}

include "sluice.vcl";

probe symfony_up {
    # A file that Nginx serves itself: a slow application must not put every node into grace.
    .url = "/robots.txt";
    .interval = 5s;
    .timeout = 2s;
    .window = 5;
    .threshold = 3;
    .initial = 3;
}

probe nuxt_up {
    # A route of Nuxt's server that asks nobody else.
    .url = "/favicon.ico";
    .interval = 5s;
    .timeout = 2s;
    .window = 5;
    .threshold = 3;
    .initial = 3;
}

# The Nuxt server (node .output/server/index.mjs).
backend nuxt {
    .host = "127.0.0.1";
    .port = "3000";
    .connect_timeout = 2s;
    .first_byte_timeout = 30s;
    .between_bytes_timeout = 10s;
    .max_connections = 200;
    .probe = nuxt_up;
}

# Nginx and PHP-FPM with Roadiz.
backend symfony {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 2s;
    .first_byte_timeout = 60s;
    .between_bytes_timeout = 30s;
    .max_connections = 200;
    .probe = symfony_up;
}

sub choose_backend {
    set req.backend_hint = nuxt;
    # Back office, API, media as uploaded (files) and as cut to size (assets), scripts of bundles.
    if (req.url ~ "^/(rz-admin|api|files|assets|bundles|themes|custom-form|_wdt|_profiler)(/|\?|$)") {
        set req.backend_hint = symfony;
    }
}

# What a backend may name in Vary, in as few words as it means. PEEK goes through this as visitors do.
sub normalise_variant {
    # A GET has no body, but "Vary: Content-Type" would split the cache on it.
    unset req.http.Content-Type;
    if (req.url ~ "^/api/") {
        # Browsers, Nuxt's server and curl word Accept differently; the API knows two meanings.
        if (req.http.Accept ~ "application/ld\+json") {
            set req.http.Accept = "application/ld+json";
        } else {
            set req.http.Accept = "application/json";
        }
    } elseif (req.url ~ "^/assets/") {
        # Images are cut in the format that the browser takes.
        if (req.http.Accept ~ "image/avif") {
            set req.http.Accept = "image/avif,image/webp";
        } elseif (req.http.Accept ~ "image/webp") {
            set req.http.Accept = "image/webp";
        } else {
            unset req.http.Accept;
        }
    }
}

sub vcl_recv {
    # 1. What ends up in the cache key. Your own changes to host and url come before this.
    call normalise_request;
    # 2. Purges, before anything else looks at the method.
    call sluice_verbs;
    # 3. Visitors.
    if (req.method != "GET" && req.method != "HEAD" && req.method != "PUT" && req.method != "POST"
        && req.method != "PATCH" && req.method != "DELETE" && req.method != "OPTIONS") {
        return (synth(405, "Method not allowed"));
    }
    call choose_backend;

    # Stale pages hide one refresh while the backend is well; when it is ill, all of their grace counts.
    if (std.healthy(req.backend_hint)) {
        set req.grace = 60s;
    }

    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # Editors: the back office, and previews of what is not published yet.
    if (req.url ~ "^/(rz-admin|_wdt|_profiler)(/|\?|$)" || req.url ~ "[?&]_preview=") {
        return (pass);
    }
    if (req.http.Authorization) {
        return (pass);
    }
    call normalise_variant;

    # Consent banners and statistics set cookies on every visitor; only a session makes a page personal.
    if (req.http.Cookie) {
        cookie.parse(req.http.Cookie);
        cookie.keep("PHPSESSID,REMEMBERME");
        set req.http.Cookie = cookie.get_string();
        if (req.http.Cookie == "") {
            unset req.http.Cookie;
        } else {
            return (pass);
        }
    }
    return (hash);
}

sub vcl_backend_response {
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

    # How long the site stays up when a backend is down.
    set beresp.grace = 6h;
    set beresp.keep = 10m;

    # Nuxt's scripts and styles have a hash in their names and never change.
    if (bereq.url ~ "^/_nuxt/" && beresp.status == 200) {
        unset beresp.http.Set-Cookie;
        set beresp.ttl = 30d;
    }
    if (beresp.http.Content-Type ~ "(?i)^(text/|application/(json|ld\+json|javascript|xml)|image/svg)") {
        set beresp.do_gzip = true;
    }
    # No return: the built-in code after this refuses to keep private, no-store, Set-Cookie and "Vary: *".
}
`;

// A site that is the same for everybody: generated pages, a documentation, a catalogue without accounts.

export const staticSiteVcl = String.raw`# Varnish in front of a static site: the same pages for everybody, no sessions, nothing but GET and HEAD.
#
# TO BE CHANGED: the two acls, the backend, and the times in vcl_backend_response.
vcl 4.1;

import std;

# May ask, purge and ban: Sluice's own address, as Varnish sees it.
acl sluice {
    "127.0.0.1";
}

# May purge and ban, but not ask: whatever publishes the site and calls Varnish itself.
acl purgers {
    "127.0.0.1";
}

include "sluice.vcl";

probe site_up {
    .url = "/robots.txt";
    .interval = 5s;
    .timeout = 2s;
    .window = 5;
    .threshold = 3;
    .initial = 3;
}

backend default {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 2s;
    .first_byte_timeout = 15s;
    .between_bytes_timeout = 10s;
    .max_connections = 100;
    .probe = site_up;
}

# What a backend may name in Vary. A static site has one variant of each page: PEEK and visitors see the same.
sub normalise_variant {
    unset req.http.Cookie;
    unset req.http.Content-Type;
    unset req.http.Accept;
    unset req.http.Accept-Language;
}

sub vcl_recv {
    # 1. What ends up in the cache key. Your own changes to host and url come before this.
    call normalise_request;
    # 2. Purges, before anything else looks at the method.
    call sluice_verbs;
    # 3. Visitors.
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405, "Method not allowed"));
    }
    # Stale pages hide one refresh while the backend is well; when it is ill, all of their grace counts.
    if (std.healthy(req.backend_hint)) {
        set req.grace = 60s;
    }
    # Cookies are of scripts in the page only.
    call normalise_variant;
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

    # Nobody signs in here, and what sets a cookie would not be kept.
    unset beresp.http.Set-Cookie;

    if (beresp.status == 404) {
        # A page just published must not stay "not found" for as long as a page stays a page.
        set beresp.ttl = 30s;
    } elseif (bereq.url ~ "[.-][0-9a-f]{8,}\.(css|js|woff2?|svg|png|jpe?g|webp|avif)$") {
        # With a hash in their names, files never change.
        set beresp.ttl = 30d;
    } elseif (beresp.http.Cache-Control !~ "(?i)(no-cache|no-store|private|max-age)") {
        # Sluice purges what changes, so that pages may stay long.
        set beresp.ttl = 1d;
    }

    # How long the site stays up when the backend is down.
    set beresp.grace = 24h;
    set beresp.keep = 10m;

    if (beresp.http.Content-Type ~ "(?i)^(text/|application/(json|javascript|xml|manifest\+json)|image/svg)") {
        set beresp.do_gzip = true;
    }
    # No return: the built-in code after this refuses to keep private, no-store and "Vary: *".
}
`;

// API Platform with its tags: each answer names what it holds, and a change purges by these names.

export const apiPlatformVcl = String.raw`# Varnish in front of an API Platform application (Symfony), purged by tags.
#
# Each answer of the API names the resources in it (header Cache-Tags, or xkey). Sluice purges by these names:
#   api_platform:
#     http_cache:
#       invalidation:
#         enabled: true
#         purger: api_platform.http_cache.purger.varnish.xkey
#         urls: [ "http://sluice:3100" ]
#         request_options: { headers: { Host: www.example.org } }
#
# TO BE CHANGED: the two acls, the backend, and "sub normalise_variant" if your API speaks other formats.
# Start varnishd with room for long lists of tags: -p http_resp_hdr_len=64k -p http_resp_size=128k
#   -p workspace_backend=256k -p workspace_client=256k
vcl 4.1;

import cookie;
import std;

# May ask, purge and ban: Sluice's own address, as Varnish sees it.
acl sluice {
    "127.0.0.1";
}

# May purge and ban, but not ask: the application, where it calls Varnish itself.
acl purgers {
    "127.0.0.1";
}

include "sluice.vcl";

probe api_up {
    # Something that the web server answers itself: a slow application must not put every node into grace.
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
    .first_byte_timeout = 60s;
    .between_bytes_timeout = 30s;
    .max_connections = 200;
    .probe = api_up;
}

# API Platform answers in what Accept asks for and says "Vary: Accept". Every client words it differently; these are the
# formats of api_platform.formats. PEEK goes through this as visitors do.
sub normalise_variant {
    # A GET has no body, but "Vary: Content-Type" would split the cache on it.
    unset req.http.Content-Type;
    if (req.http.Accept ~ "text/html") {
        # A person with a browser: the documentation.
        set req.http.Accept = "text/html";
    } elseif (req.http.Accept ~ "application/vnd\.api\+json") {
        set req.http.Accept = "application/vnd.api+json";
    } elseif (req.http.Accept ~ "application/hal\+json") {
        set req.http.Accept = "application/hal+json";
    } elseif (req.http.Accept ~ "application/json" && req.http.Accept !~ "application/ld\+json") {
        set req.http.Accept = "application/json";
    } else {
        set req.http.Accept = "application/ld+json";
    }
    # Add the languages that your API speaks, and leave this away if it speaks one.
    if (req.http.Accept-Language ~ "^\s*fr") {
        set req.http.Accept-Language = "fr";
    } else {
        set req.http.Accept-Language = "en";
    }
}

sub vcl_recv {
    # 1. What ends up in the cache key. Your own changes to host and url come before this.
    call normalise_request;
    # 2. Purges, before anything else looks at the method.
    call sluice_verbs;
    # 3. Clients.
    if (req.method != "GET" && req.method != "HEAD" && req.method != "PUT" && req.method != "POST"
        && req.method != "PATCH" && req.method != "DELETE" && req.method != "OPTIONS") {
        return (synth(405, "Method not allowed"));
    }

    # Mercure's events never end: nothing for a cache, and no time limit of a fetch fits them.
    if (req.url ~ "^/\.well-known/mercure") {
        return (pipe);
    }

    # Stale answers hide one refresh while the backend is well; when it is ill, all of their grace counts.
    if (std.healthy(req.backend_hint)) {
        set req.grace = 10s;
    }

    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # What a token opens belongs to its owner.
    if (req.http.Authorization || req.http.X-Api-Key) {
        return (pass);
    }
    call normalise_variant;

    # Only a session makes an answer personal.
    if (req.http.Cookie) {
        cookie.parse(req.http.Cookie);
        cookie.keep("PHPSESSID,BEARER");
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
        # An old answer is better than a new error, and an error is not worth keeping.
        if (bereq.is_bgfetch) {
            return (abandon);
        }
        set beresp.uncacheable = true;
        set beresp.ttl = 5s;
        return (deliver);
    }
    if (beresp.status == 404 && beresp.ttl > 10s) {
        # It may be created the next moment, and nothing carries a tag of it yet.
        set beresp.ttl = 10s;
    }

    set beresp.grace = 1h;
    set beresp.keep = 10m;

    if (beresp.http.Content-Type ~ "(?i)^(text/|application/([a-z.+-]*json|javascript|xml))") {
        set beresp.do_gzip = true;
    }
    # No return: the built-in code after this refuses to keep private, no-store, Set-Cookie and "Vary: *".
}
`;

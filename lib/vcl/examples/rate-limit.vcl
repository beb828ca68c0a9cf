# vmod vsthrottle: so many requests of one client, fewer of those that try to sign in.
vcl 4.1;

import vsthrottle;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    set client.identity = client.ip;
    if (vsthrottle.is_denied("all:" + client.identity, 100, 10s)) {
        return (synth(429, "Too Many Requests"));
    }
    if (req.method == "POST" && req.url ~ "^/login" && vsthrottle.is_denied("login:" + client.identity, 5, 60s, 300s)) {
        set req.http.X-Blocked = vsthrottle.blocked("login:" + client.identity, 5, 60s, 300s);
        return (synth(429, "Too Many Requests"));
    }
}

sub vcl_deliver {
    set resp.http.X-RateLimit-Remaining = vsthrottle.remaining("all:" + client.identity, 100, 10s);
}

sub vcl_synth {
    if (resp.status == 429) {
        set resp.http.Retry-After = "10";
        return (deliver);
    }
}

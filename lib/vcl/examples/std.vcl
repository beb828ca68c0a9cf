# vmod std: numbers, times, logs, files of the process's environment.
vcl 4.1;

import std;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    set req.url = std.querysort(req.url);
    set req.http.host = std.tolower(req.http.host);
    if (std.integer(req.http.X-Level, 0) > 3 || std.port(local.ip) == 8443) {
        std.log("level:" + req.http.X-Level);
    }
    std.collect(req.http.Accept);
    if (std.healthy(req.backend_hint)) {
        set req.grace = std.duration(req.http.X-Grace, 10s);
    }
    if (req.method == "POST" && !std.cache_req_body(110KB)) {
        return (synth(413));
    }
}

sub vcl_backend_response {
    if (std.time(beresp.http.Expires, now) < now) {
        set beresp.ttl = std.duration(real = 30.5);
    }
    set beresp.http.X-Random = std.random(0, 100);
}

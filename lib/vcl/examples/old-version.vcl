# The version before: everything of 4.0 still compiles.
vcl 4.0;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    if (req.esi_level > 0) {
        set req.http.X-Esi-Level = req.esi_level;
    }
}

sub vcl_backend_response {
    set beresp.ttl = 10m;
    set beresp.grace = 1h;
}

# Pages of fragments: Varnish puts them together, and each fragment has a time of its own.
vcl 4.1;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    set req.http.Surrogate-Capability = "varnish=ESI/1.0";
    if (req.esi_level > 0 && req.url ~ "^/_fragment") {
        set req.http.X-Parent = req_top.url;
    }
}

sub vcl_backend_response {
    if (beresp.http.Surrogate-Control ~ "ESI/1.0") {
        unset beresp.http.Surrogate-Control;
        set beresp.do_esi = true;
        set beresp.do_gzip = true;
    }
    if (bereq.url ~ "^/_fragment/basket") {
        set beresp.ttl = 120s;
        set beresp.uncacheable = true;
        return (deliver);
    }
}

sub vcl_deliver {
    if (req.esi_level == 0) {
        set resp.http.X-Esi = "1";
    }
}

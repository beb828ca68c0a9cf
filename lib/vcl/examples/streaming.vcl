# Large files: ranges, streams, a storage and times of their own.
vcl 4.1;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 0.5s;
    .first_byte_timeout = 300s;
    .between_bytes_timeout = 1m;
}

sub vcl_recv {
    if (req.url ~ "\.(mp4|webm|zip)(\?|$)") {
        unset req.http.Cookie;
        if (req.http.Range) {
            set req.http.X-Range = req.http.Range;
        }
        return (hash);
    }
}

sub vcl_backend_fetch {
    if (bereq.http.X-Range) {
        set bereq.first_byte_timeout = 10s;
    }
}

sub vcl_backend_response {
    set beresp.do_stream = true;
    if (beresp.http.Content-Length ~ "^\d{8,}$") {
        set beresp.uncacheable = true;
        set beresp.ttl = 1h;
        return (deliver);
    }
    set beresp.storage = storage.s0;
    set beresp.keep = 0.5h;
}

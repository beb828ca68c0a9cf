# Two tries: the second goes to the spare backend; a retry comes before it.
vcl 4.1;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

backend spare {
    .host = "127.0.0.1";
    .port = "8081";
}

sub vcl_recv {
    if (req.restarts > 0) {
        set req.backend_hint = spare;
        set req.hash_always_miss = true;
    }
}

sub vcl_backend_response {
    if (beresp.status == 502 && bereq.retries == 0) {
        return (retry);
    }
}

sub vcl_deliver {
    if (resp.status >= 500 && req.restarts == 0) {
        return (restart);
    }
}

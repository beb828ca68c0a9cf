# Backends and probes with all of their settings.
vcl 4.1;

probe whole {
    .request =
        "HEAD /health HTTP/1.1"
        "Host: www.example.org"
        "User-Agent: varnish (probe)"
        "Connection: close";
    .expected_response = 204;
    .interval = 30s;
    .timeout = 1.5s;
    .window = 8;
    .threshold = 3;
    .initial = 2;
}

backend default {
    .host = "127.0.0.1";
    .port = "8080";
    .host_header = "www.example.org";
    .connect_timeout = 1s;
    .first_byte_timeout = 20s;
    .between_bytes_timeout = 5s;
    .max_connections = 50;
    .probe = whole;
}

backend other {
    .host = "127.0.0.1";
    .port = "8081";
    .probe = {
        .url = "/";
        .interval = 1m;
    }
}

sub vcl_recv {
    if (req.http.host == "other.example.org") {
        set req.backend_hint = other;
    }
}

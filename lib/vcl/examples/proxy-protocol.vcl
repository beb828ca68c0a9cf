# Behind a terminator that speaks PROXY: what it says of TLS, and PROXY again to the backend.
vcl 4.1;

import proxy;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
    .proxy_header = 2;
}

sub vcl_recv {
    if (proxy.is_ssl()) {
        set req.http.X-Forwarded-Proto = "https";
        set req.http.X-TLS = proxy.ssl_version() + " " + proxy.ssl_cipher() + " " + proxy.alpn();
    } else {
        set req.http.X-Forwarded-Proto = "http";
        if (remote.ip != local.ip && proxy.authority() == "www.example.org") {
            return (synth(750, "Moved"));
        }
    }
}

sub vcl_hash {
    hash_data(req.http.X-Forwarded-Proto);
}

sub vcl_synth {
    if (resp.status == 750) {
        set resp.status = 301;
        set resp.http.Location = "https://" + req.http.host + req.url;
        return (deliver);
    }
}

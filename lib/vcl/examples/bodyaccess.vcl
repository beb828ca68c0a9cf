# vmod bodyaccess: searches that come as POST are kept by what they ask.
vcl 4.1;

import bodyaccess;
import std;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    unset req.http.X-Body-Len;
    if (req.method == "POST" && req.url ~ "^/search$") {
        if (!std.cache_req_body(100KB)) {
            return (pass);
        }
        set req.http.X-Body-Len = bodyaccess.len_req_body();
        if (bodyaccess.rematch_req_body("mutation") > 0) {
            return (pass);
        }
        return (hash);
    }
}

sub vcl_hash {
    if (req.http.X-Body-Len) {
        bodyaccess.hash_req_body();
    } else {
        hash_data("");
    }
}

sub vcl_backend_fetch {
    if (bereq.http.X-Body-Len) {
        set bereq.method = "POST";
    }
}

# Phones, tablets and the rest: three classes instead of thousands of User-Agents.
vcl 4.1;

include "devicedetect.vcl";

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    call devicedetect;
}

sub vcl_backend_response {
    if (bereq.http.X-UA-Device) {
        if (!beresp.http.Vary) {
            set beresp.http.Vary = "X-UA-Device";
        } elseif (beresp.http.Vary !~ "X-UA-Device") {
            set beresp.http.Vary = beresp.http.Vary + ", X-UA-Device";
        }
    }
}

sub vcl_deliver {
    if (req.http.X-UA-Device && resp.http.Vary) {
        set resp.http.Vary = regsub(resp.http.Vary, "X-UA-Device", "User-Agent");
    }
}

# Purges by address and by tag, hard and soft.
vcl 4.1;

import purge;
import xkey;

acl purgers {
    "127.0.0.1";
    "10.0.0.0"/8;
}

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    if (req.method == "PURGE") {
        if (client.ip !~ purgers) {
            return (synth(403));
        }
        if (req.http.xkey) {
            set req.http.n-gone = xkey.purge(req.http.xkey);
            return (synth(200, "Purged " + req.http.n-gone));
        }
        return (hash);
    }
}

sub my_purge {
    set req.http.purged = purge.soft(ttl = 0s, grace = 30s);
    if (req.http.purged == "0") {
        return (synth(404));
    }
    return (synth(200));
}

sub vcl_hit {
    if (req.method == "PURGE") {
        call my_purge;
    }
}

sub vcl_miss {
    if (req.method == "PURGE") {
        call my_purge;
    }
}

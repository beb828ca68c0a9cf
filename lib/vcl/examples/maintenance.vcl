# A page of its own while the site is worked on, and stale pages for as long as there are any.
vcl 4.1;

import std;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

acl workers {
    "127.0.0.1";
}

sub vcl_recv {
    if (client.ip !~ workers && std.file_exists("/etc/varnish/maintenance")) {
        return (synth(503, "Maintenance"));
    }
}

sub vcl_backend_response {
    set beresp.grace = 3d;
}

sub vcl_backend_error {
    set beresp.http.Retry-After = "60";
    set beresp.body = {"<h1>Back in a minute</h1>"};
    return (deliver);
}

sub vcl_synth {
    if (resp.status == 503) {
        set resp.http.Retry-After = "600";
        synthetic({"<!DOCTYPE html><title>Maintenance</title><h1>We are back soon.</h1>"});
        return (deliver);
    }
}

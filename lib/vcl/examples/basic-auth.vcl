# A password before a site that is not public yet.
vcl 4.1;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    # guest:guest
    if (req.http.Authorization != "Basic Z3Vlc3Q6Z3Vlc3Q=") {
        return (synth(401, "Restricted"));
    }
    unset req.http.Authorization;
}

sub vcl_synth {
    if (resp.status == 401) {
        set resp.http.WWW-Authenticate = {"Basic realm="Not public yet""};
        set resp.body = "Restricted" + {"
"};
        return (deliver);
    }
}

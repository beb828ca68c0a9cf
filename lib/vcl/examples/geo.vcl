# The country as the CDN in front says it, in few classes, as a variant of the page.
vcl 4.1;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    if (req.http.CF-IPCountry ~ "^(FR|BE|LU|CH|MC)$") {
        set req.http.X-Region = "fr";
    } elsif (req.http.CF-IPCountry ~ "^(DE|AT|LI)$") {
        set req.http.X-Region = "de";
    } elif (req.http.CF-IPCountry == "T1") {
        set req.http.X-Region = "unknown";
    } else {
        set req.http.X-Region = "world";
    }
}

sub vcl_backend_response {
    if (beresp.http.Vary) {
        set beresp.http.Vary = beresp.http.Vary + ", X-Region";
    } else {
        set beresp.http.Vary = "X-Region";
    }
}

sub vcl_deliver {
    set resp.http.Vary = regsub(resp.http.Vary, "(?i)x-region", "CF-IPCountry");
}

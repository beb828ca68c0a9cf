include "common.vcl";
sub vcl_recv {
    if (req.http.host == "one.example.org") {
        call common;
    }
}

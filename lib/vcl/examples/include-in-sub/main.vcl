# An include in the middle of a sub, twice, and between two statements of one line.
vcl 4.1;

backend default none;

sub vcl_recv {
    if (req.url ~ "^/a") {
        include "cookies.vcl";
    } else { set req.http.a = "1"; include "cookies.vcl"; set req.http.b = "2"; }
    return (hash);
}

# Subs of one name are joined in the order in which they stand; some are called from others.
vcl 4.1;

backend default {
    .host = "127.0.0.1";
}

sub vcl_recv {
    set req.http.X-Order = "1";
}

sub vcl_recv {
    set req.http.X-Order = req.http.X-Order + "2";
    call third;
}

sub third {
    set req.http.X-Order = req.http.X-Order + "3";
    call fourth;
}

sub fourth {
    if (req.http.X-Stop) {
        return (synth(200, req.http.X-Order));
    }
}

sub vcl_recv {
    unset req.http.X-Order;
}

sub vcl_deliver { set resp.http.A = "1"; }
sub vcl_deliver { set resp.http.B = "2"; }

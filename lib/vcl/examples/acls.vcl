# Networks of both families, exceptions, and flags.
vcl 4.1;

backend default {
    .host = "127.0.0.1";
}

acl inside {
    "localhost";
    "10.0.0.0"/8;
    ! "10.66.0.0"/16;
    "192.0.2.7";
    "::1";
    "2001:db8::"/32;
    ! "2001:db8:66::"/48;
}

acl editors -log +table {
    "198.51.100.0"/24;
    ("127.0.0.2");
}

sub vcl_recv {
    if (req.url ~ "^/admin" && client.ip !~ inside && !(client.ip ~ editors)) {
        return (synth(403));
    }
}

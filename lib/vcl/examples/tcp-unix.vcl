# What the connection itself says: its pace and round trip (vmod tcp), its user on a Unix socket (vmod unix).
vcl 4.1;

import std;
import tcp;
import unix;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    if (local.socket == "local" && unix.uid() != 0) {
        return (synth(403, "Not " + unix.user()));
    }
    if (tcp.get_estimated_rtt() > 300.0) {
        std.log("far:" + client.ip);
    }
    if (req.url ~ "\.(mp4|mkv)$") {
        tcp.set_socket_pace(1000);
    }
}

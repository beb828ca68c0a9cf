# varnish-modules: var for values on the way, header for headers that come several times.
vcl 4.1;

import header;
import std;
import var;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    var.set_int("parts", 3);
    var.set_real("weight", 0.5);
    var.set_duration("patience", 2h);
    var.set_ip("who", client.ip);
    var.set("host", req.http.host);
    var.global_set("last", req.url);
    if (var.get_int("parts") > 2) {
        set req.http.X-Host = var.get("host");
    }
    var.clear();
}

sub vcl_backend_response {
    header.append(beresp.http.Vary, "X-Host");
    header.remove(beresp.http.Set-Cookie, "^(_ga|_gid)=");
    if (header.get(beresp.http.Set-Cookie, "^PHPSESSID=") != "") {
        set beresp.uncacheable = true;
    }
}

sub vcl_deliver {
    header.copy(resp.http.Vary, resp.http.X-Vary);
    header.regsub(resp, "^(X-[^:]+): internal", "\1: ");
}

# Half of the visitors see the other page, and go on seeing it.
vcl 4.1;

import cookie;
import std;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    unset req.http.X-Group;
    cookie.parse(req.http.Cookie);
    if (cookie.get("group") ~ "^[ab]$") {
        set req.http.X-Group = cookie.get("group");
    } else if (std.random(0, 2) < 1.0) {
        set req.http.X-Group = "a";
    } else {
        set req.http.X-Group = "b";
    }
    unset req.http.Cookie;
    return (hash);
}

sub vcl_hash {
    if (req.url ~ "^/(pricing|checkout)") {
        hash_data(req.http.X-Group);
    }
}

sub vcl_deliver {
    set resp.http.Set-Cookie = "group=" + req.http.X-Group + "; Path=/; Max-Age=2592000; SameSite=Lax";
}

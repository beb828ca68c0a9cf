# vmod cookie: of all cookies, the session stays; one of them chooses the language.
vcl 4.1;

import cookie;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_recv {
    cookie.parse(req.http.Cookie);
    if (cookie.isset("lang")) {
        set req.http.X-Lang = cookie.get("lang");
    }
    cookie.filter_re("^(_ga|_gid|utm_)");
    cookie.keep("PHPSESSID,lang");
    cookie.delete("lang");
    set req.http.Cookie = cookie.get_string();
    if (req.http.Cookie == "") {
        unset req.http.Cookie;
    }
}

sub vcl_deliver {
    if (req.http.X-Lang) {
        cookie.parse("");
        cookie.set("seen", "1");
        set resp.http.Set-Cookie = cookie.get_string() + "; Path=/; Expires=" + cookie.format_date(now, 30d);
    }
}

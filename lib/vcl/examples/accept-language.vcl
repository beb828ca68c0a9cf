# vmod accept: of all languages that a browser names, one that the site speaks.
vcl 4.1;

import accept;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_init {
    new language = accept.rule("en");
    language.add("fr");
    language.add("de");
}

sub vcl_recv {
    set req.http.Accept-Language = language.filter(req.http.Accept-Language);
}

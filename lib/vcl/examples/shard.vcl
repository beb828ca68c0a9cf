# Directors of vmod directors that keep an address on one backend, with as little as possible moving when one goes.
vcl 4.1;

import directors;

backend a { .host = "127.0.0.1"; .port = "8081"; }
backend b { .host = "127.0.0.1"; .port = "8082"; }

probe default {
    .interval = 60s;
}

sub vcl_init {
    new by_url = directors.shard();
    by_url.add_backend(a, rampup = 10s);
    by_url.add_backend(b, ident = "second");
    by_url.set_warmup(0.1);
    by_url.reconfigure(replicas = 25);
}

sub vcl_backend_fetch {
    set bereq.backend = by_url.backend(by = KEY, key = by_url.key(bereq.http.host + bereq.url), healthy = CHOSEN);
}

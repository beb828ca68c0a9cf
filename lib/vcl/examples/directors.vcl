# vmod directors: each kind of it, one above the other.
vcl 4.1;

import directors;

probe up {
    .url = "/healthz";
    .interval = 60s;
    .timeout = 1s;
}

backend a { .host = "127.0.0.1"; .port = "8081"; .probe = up; }
backend b { .host = "127.0.0.1"; .port = "8082"; .probe = up; }
backend c { .host = "127.0.0.1"; .port = "8083"; .probe = up; }

sub vcl_init {
    new turns = directors.round_robin();
    turns.add_backend(a);
    turns.add_backend(b);

    new weights = directors.random();
    weights.add_backend(a, 10);
    weights.add_backend(c, 2.5);

    new sticky = directors.hash();
    sticky.add_backend(a, 1.0);
    sticky.add_backend(b, 1.0);

    new spare = directors.fallback(sticky = true);
    spare.add_backend(turns.backend());
    spare.add_backend(c);
}

sub vcl_recv {
    set req.backend_hint = spare.backend();
    if (req.url ~ "^/cart") {
        set req.backend_hint = sticky.backend(client.identity);
    } elsif (req.url ~ "^/search") {
        set req.backend_hint = weights.backend();
    }
}

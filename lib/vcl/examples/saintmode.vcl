# vmod saintmode: a backend that answered with an error is not asked for that address for a while.
vcl 4.1;

import directors;
import saintmode;

probe up {
    .interval = 60s;
}

backend tea { .host = "127.0.0.1"; .port = "8081"; .probe = up; }
backend coffee { .host = "127.0.0.1"; .port = "8082"; .probe = up; }

sub vcl_init {
    new sm_tea = saintmode.saintmode(tea, 5);
    new sm_coffee = saintmode.saintmode(coffee, 5);
    new both = directors.fallback();
    both.add_backend(sm_tea.backend());
    both.add_backend(sm_coffee.backend());
}

sub vcl_backend_fetch {
    set bereq.backend = both.backend();
}

sub vcl_backend_response {
    if (beresp.status > 500 && (bereq.method == "GET" || bereq.method == "HEAD")) {
        saintmode.blacklist(5s);
        return (retry);
    }
}

sub vcl_recv {
    if (req.url == "/saints") {
        return (synth(700, saintmode.status()));
    }
}

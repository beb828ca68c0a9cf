# Each sub that Varnish has, with what it may return.
vcl 4.1;

backend default none;

sub vcl_init { return (ok); }
sub vcl_recv { if (req.method == "X") { return (purge); } if (req.method == "Y") { return (pipe); } return (pass); }
sub vcl_pipe { return (pipe); }
sub vcl_pass { return (fetch); }
sub vcl_hash { hash_data(req.url); hash_data(req.http.host); return (lookup); }
sub vcl_purge { return (synth(200, "Purged")); }
sub vcl_hit { return (deliver); }
sub vcl_miss { return (fetch); }
sub vcl_deliver { return (deliver); }
sub vcl_synth { return (deliver); }
sub vcl_backend_fetch { return (fetch); }
sub vcl_backend_response { if (beresp.was_304) { return (deliver); } return (pass(10s)); }
sub vcl_backend_error { return (deliver); }
sub vcl_fini { return (ok); }

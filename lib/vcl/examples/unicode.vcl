# Été, 東京, 🐌 – comments and strings are bytes to Varnish.
vcl 4.1;

backend default none; # „so“

/* Ünïcödé
   Ω */
sub vcl_recv {
    if (req.url ~ "^/fête(s)?/" || req.http.X-City == {"Zürich – "} + "東京") {
        return (synth(200, "Ça marche 🐌"));
    }
}

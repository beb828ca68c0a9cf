# vmods str and blob: strings cut and compared, and bytes in other letters.
vcl 4.1;

import blob;
import str;

backend default {
    .host = "127.0.0.1";
    .port = "8080";
}

sub vcl_init {
    new known = blob.blob(HEX, "deadbeef");
}

sub vcl_recv {
    if (str.startswith(req.url, "/fr/") && str.count(req.url) < 1000) {
        set req.http.X-First = str.split(req.url, 0, "/");
        set req.http.X-Tail = str.take(str.reverse(req.url), 8);
    }
    if (str.contains(req.http.User-Agent, "curl")) {
        set req.http.X-Hex = blob.transcode(encoding = HEX, encoded = req.url);
    }
    if (blob.equal(known.get(), blob.decode(BASE64, encoded = req.http.X-Key))) {
        set req.http.X-Known = known.encode(encoding = BASE64URLNOPAD);
    }
}

sub vcl_recv {
    if (req.http.host == "two.example.org") {
        call common;
    }
}

sub vcl_recv {
    if (req.url ~ "^/admin" && client.ip !~ office) {
        return (synth(403));
    }
}

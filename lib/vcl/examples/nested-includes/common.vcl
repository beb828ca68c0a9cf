sub common {
    set req.http.X-Site = req.http.host;
}

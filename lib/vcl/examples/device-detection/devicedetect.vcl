# The class of a browser, by what it says it is.
sub devicedetect {
    unset req.http.X-UA-Device;
    if (req.http.User-Agent ~ "(?i)(bot|crawler|spider)") {
        set req.http.X-UA-Device = "bot";
    } elsif (req.http.User-Agent ~ "(?i)(ipad|tablet|android(?!.*mobile))") {
        set req.http.X-UA-Device = "tablet";
    } elsif (req.http.User-Agent ~ "(?i)(iphone|ipod|mobile)") {
        set req.http.X-UA-Device = "mobile";
    } else {
        set req.http.X-UA-Device = "desktop";
    }
}

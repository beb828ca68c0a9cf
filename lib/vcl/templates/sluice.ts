// What every template includes: Sluice's protocol (docs/varnish.md), as in the reference stack's VCL.

export const sluiceVcl = String.raw`# What Sluice says to this node: PURGE, BAN and PEEK. Nothing here need be changed, but the list of tracking parameters
# in normalise_request must be the one of strip_query in sluice.yaml.
#
# The file that includes this one has the acls "sluice" and "purgers" and the sub normalise_variant, and its vcl_recv
# calls normalise_request and then sluice_verbs before anything else. Needs varnish-modules (xkey, var).

import purge;
import std;
import var;
import xkey;

sub vcl_init {
    # Lives as long as the cache does: by it Sluice knows whether the cache was lost.
    if (!var.global_get("sluice-boot")) {
        var.global_set("sluice-boot",
            std.time2integer(now, 0) + "-" + std.real2integer(std.random(100000000, 999999999), 0));
    }
}

sub vcl_recv {
    # Names of our own that a client must not be able to set.
    unset req.http.x-sluice-count;
    unset req.http.x-sluice-peek;
    unset req.http.x-sluice-banned;
    unset req.http.x-sluice-tags;
    unset req.http.x-sluice-revision;
}

# The cache key is host + url. A purge removes exactly one key, so visitors and purges must come to the same one.
sub normalise_request {
    set req.http.host = std.tolower(regsub(regsub(req.http.host, ":[0-9]+$", ""), "\.$", ""));
    set req.url = regsub(req.url, "#.*$", "");
    if (req.url ~ "\?") {
        # Each is set by an advertiser or a mailer and read by a script in the page, never by the backend.
        set req.url = regsuball(req.url,
            "(?<=[?&])(utm_[a-z0-9_]+|gclid|gclsrc|gbraid|wbraid|dclid|fbclid|msclkid|yclid|twclid|ttclid|igshid|mc_cid|mc_eid|_ga|_gl|_hsenc|_hsmi|mkt_tok|pk_[a-z]+|mtm_[a-z]+)(=[^&]*)?(&|$)", "");
        set req.url = std.querysort(req.url);
        set req.url = regsub(req.url, "[?&]+$", "");
    }
}

sub sluice_verbs {
    if (req.restarts == 0 && (req.method == "PURGE" || req.method == "BAN" || req.method == "PEEK")) {
        call sluice_verb;
    }
}

sub sluice_verb {
    # client.ip, never X-Forwarded-For: that is the client's own word.
    if (client.ip !~ sluice) {
        if (req.method == "PEEK") {
            return (synth(403, "PEEK refused: " + client.ip + " is not in acl sluice"));
        }
        if (client.ip !~ purgers) {
            return (synth(403, req.method + " refused: " + client.ip + " is neither in acl sluice nor in acl purgers"));
        }
    }
    # A page that is being fetched this moment must not make us wait for it.
    set req.hash_ignore_busy = true;

    if (req.method == "PEEK") {
        set req.http.x-sluice-peek = "1";
        call normalise_variant;
        return (hash);
    }
    if (req.method == "BAN") {
        call sluice_ban;
    }

    if (req.http.xkey && req.http.xkey-softpurge) {
        return (synth(400, "xkey and xkey-softpurge exclude each other"));
    }
    if (req.http.xkey || req.http.xkey-softpurge) {
        # No tag at all would be a purge of nothing that answers "done".
        if (req.http.xkey !~ "[^\s,]" && req.http.xkey-softpurge !~ "[^\s,]") {
            return (synth(400, "no tag given"));
        }
        if (req.http.xkey) {
            set req.http.x-sluice-count = xkey.purge(regsuball(req.http.xkey, ",", " "));
        } else {
            set req.http.x-sluice-count = xkey.softpurge(regsuball(req.http.xkey-softpurge, ",", " "));
        }
        return (synth(200, "Purged"));
    }
    # The purge itself happens in vcl_miss; always missing spares a PURGE from counting as a hit.
    set req.hash_always_miss = true;
    return (hash);
}

# Bans look only at what the object itself carries (obj.*), so that they are worked off in the background.
sub sluice_ban {
    if (req.http.Sluice-Ban-All) {
        if (req.http.Sluice-Ban-All != "1" || req.http.Sluice-Ban-Host || req.http.Sluice-Ban-Regex) {
            return (synth(400, "Sluice-Ban-All is 1 and stands alone"));
        }
        set req.http.x-sluice-banned = "obj.status != 0";
    } else {
        if (!req.http.Sluice-Ban-Host) {
            return (synth(400, "BAN needs Sluice-Ban-Host or Sluice-Ban-All: 1"));
        }
        # The value becomes a word of a ban expression: what could end that word is refused.
        set req.http.Sluice-Ban-Host = std.tolower(req.http.Sluice-Ban-Host);
        if (req.http.Sluice-Ban-Host !~ "^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$") {
            return (synth(400, "Sluice-Ban-Host is not a bare host name"));
        }
        set req.http.x-sluice-banned = "obj.http.x-host == " + req.http.Sluice-Ban-Host;
        if (req.http.Sluice-Ban-Regex) {
            if (req.http.Sluice-Ban-Regex == "") {
                return (synth(400, "Sluice-Ban-Regex is empty"));
            }
            if (req.http.Sluice-Ban-Regex ~ {"[\s"'&]"} || req.http.Sluice-Ban-Regex ~ "[^\x21-\x7e]") {
                return (synth(400, "Sluice-Ban-Regex may not hold white space, quotes or an ampersand"));
            }
            set req.http.x-sluice-banned = req.http.x-sluice-banned
                + " && obj.http.x-url ~ " + req.http.Sluice-Ban-Regex;
        }
    }
    if (std.ban(req.http.x-sluice-banned)) {
        return (synth(200, "Banned"));
    }
    return (synth(400, std.ban_error()));
}

sub vcl_hit {
    if (req.method == "PEEK") {
        set req.http.x-sluice-ttl = obj.ttl;
        set req.http.x-sluice-age = obj.age;
        set req.http.x-sluice-grace = obj.grace;
        set req.http.x-sluice-hits = obj.hits;
        set req.http.x-sluice-tags = obj.http.xkey;
        set req.http.x-sluice-revision = obj.http.X-Revision;
        return (synth(200, "HIT"));
    }
}

sub vcl_miss {
    if (req.method == "PEEK") {
        return (synth(404, "MISS"));
    }
    if (req.method == "PURGE") {
        # Soft leaves the object to be served once more while a fresh one is fetched.
        if (req.http.Sluice-Soft == "1") {
            set req.http.x-sluice-count = purge.soft(0s);
        } else {
            set req.http.x-sluice-count = purge.hard();
        }
        return (synth(200, "Purged"));
    }
}

sub vcl_pass {
    if (req.method == "PEEK") {
        return (synth(404, "MISS"));
    }
}

sub vcl_backend_response {
    # What bans compare with. Stored, because a ban may not look at the request.
    set beresp.http.x-url = bereq.url;
    set beresp.http.x-host = bereq.http.host;

    # xkey reads one header; frameworks name theirs differently.
    if (beresp.http.Cache-Tags || beresp.http.Surrogate-Key) {
        set beresp.http.xkey = regsuball(
            beresp.http.xkey + " " + regsuball(beresp.http.Cache-Tags, ",", " ") + " " + beresp.http.Surrogate-Key,
            "\s+", " ");
        set beresp.http.xkey = regsuball(beresp.http.xkey, "^ | $", "");
    }
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
        set resp.http.X-Cache-Hits = obj.hits;
    } else {
        set resp.http.X-Cache = "MISS";
    }
    set resp.http.X-Served-By = server.identity;
    # Inner workings. Cache-Tag stays: a CDN in front reads (and removes) it.
    unset resp.http.x-url;
    unset resp.http.x-host;
    unset resp.http.xkey;
    unset resp.http.Cache-Tags;
    unset resp.http.Surrogate-Key;
    unset resp.http.Via;
}

sub vcl_synth {
    if (req.method == "PURGE" || req.method == "BAN" || req.method == "PEEK") {
        set resp.http.Sluice-VCL = "1";
        set resp.http.Sluice-Boot = var.global_get("sluice-boot");
        if (req.method == "PURGE" && resp.status == 200) {
            set resp.http.Sluice-Purged = req.http.x-sluice-count;
        }
        if (req.http.x-sluice-peek) {
            set resp.http.Sluice-Cache = resp.reason;
            if (resp.status == 200) {
                set resp.http.Sluice-TTL = req.http.x-sluice-ttl;
                set resp.http.Sluice-Age = req.http.x-sluice-age;
                set resp.http.Sluice-Grace = req.http.x-sluice-grace;
                set resp.http.Sluice-Hits = req.http.x-sluice-hits;
                if (req.http.x-sluice-tags != "") {
                    set resp.http.Sluice-Tags = req.http.x-sluice-tags;
                }
                if (req.http.x-sluice-revision != "") {
                    set resp.http.Sluice-Revision = req.http.x-sluice-revision;
                }
            }
        }
        set resp.http.Content-Type = "text/plain; charset=utf-8";
        set resp.http.Cache-Control = "no-store";
        set resp.body = resp.reason + {"
"};
        return (deliver);
    }
}
`;

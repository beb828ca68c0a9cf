# Several files: networks, backends and rules, each in its own.
vcl 4.1;

include "conf/acl.vcl";
include "backends.vcl"; include "./rules.vcl";

sub vcl_deliver {
    unset resp.http.X-Powered-By;
}
# include "not-this.vcl";

# C of its own in the process that serves: nodes whose vcc_allow_inline_c is off refuse it.
vcl 4.1;

backend default none;

C{
#include <syslog.h>
}C

sub vcl_recv {
    C{ syslog(LOG_INFO, "}"); }C
}

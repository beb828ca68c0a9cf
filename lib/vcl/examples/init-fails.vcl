# It compiles, and then does not want to be loaded.
vcl 4.1;

import std;

backend default none;

sub vcl_init {
    if (!std.file_exists("/no/such/file")) {
        return (fail("the file is not there"));
    }
}

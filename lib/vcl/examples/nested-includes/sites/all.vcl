# All sites.
include "./one.vcl";
include "sites/two.vcl";

# Files that include others, three deep; "./" is the folder of the file that says it.
vcl 4.1;

backend default none;

include "sites/all.vcl";

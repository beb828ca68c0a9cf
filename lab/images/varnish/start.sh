#!/bin/sh
# Renders the VCL for this network and runs varnishd in the foreground. `health` asks whether the
# child (the part that serves) runs: the manager alone would answer while nothing is served.
set -eu

if [ "${1:-}" = health ]; then
  varnishadm -n /var/lib/varnish -t 3 status | grep -q 'state running'
  exit
fi

: "${VARNISH_SECRET:?the CLI gives code execution, so it is never left open}"
: "${BACKEND_HOST:=nginx}" "${BACKEND_PORT:=8080}"
: "${SLUICE_NETWORKS:=127.0.0.1}" "${PURGER_NETWORKS:=127.0.0.1}"

# "10.0.0.0/24 192.0.2.7" becomes the lines of a VCL acl.
acl() {
  for network in $1; do
    case "$network" in
      *[!0-9a-fA-F.:/]*) echo "not a network: $network" >&2; exit 2 ;;
      */*) printf '    "%s"/%s;\n' "${network%/*}" "${network#*/}" ;;
      *) printf '    "%s";\n' "$network" ;;
    esac
  done
}
entries_sluice=$(acl "$SLUICE_NETWORKS")
entries_purgers=$(acl "$PURGER_NETWORKS")

umask 077
printf '%s\n' "$VARNISH_SECRET" > /etc/varnish/secret
unset VARNISH_SECRET
umask 022

# Line by line, because no tool beyond the shell is in every Varnish image.
while IFS= read -r line || [ -n "$line" ]; do
  case "$line" in
    *'@SLUICE_NETWORKS@'*) printf '%s\n' "$entries_sluice" ;;
    *'@PURGER_NETWORKS@'*) printf '%s\n' "$entries_purgers" ;;
    *'@BACKEND_HOST@'*) printf '%s\n' "    .host = \"$BACKEND_HOST\";" ;;
    *'@BACKEND_PORT@'*) printf '%s\n' "    .port = \"$BACKEND_PORT\";" ;;
    *) printf '%s\n' "$line" ;;
  esac
done < /lab/default.vcl > /etc/varnish/default.vcl

# What varnishd starts with. On a volume that Sluice has too: it writes what it rolls out there, and a restart keeps it. A VCL
# or a network that is new to this lab begins anew.
live=/etc/varnish/live
mkdir -p "$live"
if ! cmp -s /etc/varnish/default.vcl "$live/rendered" || [ ! -s "$live/default.vcl" ]; then
  cp /etc/varnish/default.vcl "$live/default.vcl"
  cp /etc/varnish/default.vcl "$live/rendered"
fi
# The user of Sluice's image.
chown 1000:1000 "$live" "$live/default.vcl"

# Its counters lie in memory that is shared with this container only. The exporter comes with Debian's packages; the official
# image has none. It waits for varnishd, and ends with the container.
exporter=$(command -v prometheus-varnish-exporter || true)
if [ -n "$exporter" ]; then
  (
    while ! varnishadm -n /var/lib/varnish -t 3 status > /dev/null 2>&1; do sleep 1; done
    exec "$exporter" -n /var/lib/varnish -web.listen-address :9131 > /dev/null 2>&1
  ) &
fi

# Long tag lists are normal: the stock 8 kB per header would make a tagged page a 503.
# -r: whoever has the CLI may load VCL, but may not turn inline C or other compilers on.
exec varnishd -F \
  -n /var/lib/varnish \
  -i "${VARNISH_NAME:-$(hostname)}" \
  -f "$live/default.vcl" \
  -a http=:80,HTTP \
  -T 0.0.0.0:6082 -S /etc/varnish/secret \
  -s "malloc,${VARNISH_SIZE:-128M}" \
  -r cc_command,vcc_allow_inline_c,vmod_path \
  -p "ban_lurker_age=${VARNISH_BAN_LURKER_AGE:-2}" \
  -p http_resp_hdr_len=64k -p http_resp_size=128k -p workspace_backend=256k -p workspace_client=256k \
  -p thread_pools=2 -p thread_pool_min=20

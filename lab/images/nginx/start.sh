#!/bin/sh
# Runs Nginx on the lab's configuration. PURGE is there when the module is: Debian has it as a
# package, the official image has not, and everything else is the same without it.
set -eu
if [ "${1:-}" = health ]; then
  curl -fsS -o /dev/null http://127.0.0.1:8080/lab-health
  exit
fi
: "${PURGER_NETWORKS:=127.0.0.1}" "${MONITOR_NETWORKS:=}" "${PHP_HOST:=php}" "${NUXT_HOST:=nuxt}"
for network in $PURGER_NETWORKS $MONITOR_NETWORKS; do
  case "$network" in *[!0-9a-fA-F.:/]*) echo "not a network: $network" >&2; exit 2 ;; esac
done
mkdir -p /var/cache/nginx/pages /run/lab
user=www-data
id "$user" > /dev/null 2>&1 || user=nginx
chown "$user" /var/cache/nginx/pages

{
  echo "allow 127.0.0.1;"
  for network in $PURGER_NETWORKS $MONITOR_NETWORKS; do echo "allow $network;"; done
  echo "deny all;"
} > /run/lab/monitors.conf
module=/usr/lib/nginx/modules/ngx_http_cache_purge_module.so
: > /run/lab/modules.conf
: > /run/lab/purge.conf
if [ -e "$module" ]; then
  echo "load_module $module;" > /run/lab/modules.conf
  sed -e "s|@PURGER_NETWORKS@|$PURGER_NETWORKS|" /lab/purge.conf > /run/lab/purge.conf
fi
sed -e "s|@PHP_HOST@|$PHP_HOST|" -e "s|@NUXT_HOST@|$NUXT_HOST|" -e "s|@USER@|$user|" /lab/nginx.conf > /run/lab/nginx.conf
exec nginx -c /run/lab/nginx.conf -g 'daemon off;'

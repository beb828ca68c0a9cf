#!/bin/sh
# Two programs that share one cache directory: Nginx is the CDN's cache, node its API. The container
# ends when either does, so that a half-dead edge is never taken for a healthy one.
set -eu
if [ "${1:-}" = health ]; then
  curl -fsS -o /dev/null http://127.0.0.1:80/lab-edge-health
  curl -fsS -o /dev/null http://127.0.0.1:8002/state
  exit
fi
: "${ORIGINS:?}" "${CLOUDFLARE_TOKEN:?}"
cache=/var/cache/nginx/edge
mkdir -p "$cache" /run/lab
chown www-data "$cache"
servers=""
for origin in $ORIGINS; do
  case "$origin" in *[!a-zA-Z0-9.:-]*) echo "not a host name: $origin" >&2; exit 2 ;; esac
  servers="$servers        server $origin max_fails=1 fail_timeout=5s;
"
done
while IFS= read -r line || [ -n "$line" ]; do
  case "$line" in
    *'@ORIGINS@'*) printf '%s' "$servers" ;;
    *) printf '%s\n' "$line" ;;
  esac
done < /lab/nginx.conf > /run/lab/nginx.conf

nginx -c /run/lab/nginx.conf -g 'daemon off;' &
nginx_pid=$!
node /lab/api.mjs &
api_pid=$!
trap 'kill -TERM "$nginx_pid" "$api_pid" 2>/dev/null || true; wait; exit 0' TERM INT
while kill -0 "$nginx_pid" 2>/dev/null && kill -0 "$api_pid" 2>/dev/null; do
  # sleep in the background: a signal then ends the wait at once.
  sleep 1 & wait $!
done
kill -TERM "$nginx_pid" "$api_pid" 2>/dev/null || true
wait
exit 1

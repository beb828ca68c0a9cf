#!/bin/sh
# Writes what is routed and runs Traefik. On the official image and on ours: there is no curl in either.
set -eu
if [ "${1:-}" = health ]; then
  exec traefik healthcheck --ping=true --ping.entryPoint=traefik --entryPoints.traefik.address=:8080
fi
: "${VARNISH_NODES:?}" "${EDGE_NETWORKS:?}"
servers=""
for node in $VARNISH_NODES; do
  case "$node" in *[!a-zA-Z0-9.:-]*) echo "not a host name: $node" >&2; exit 2 ;; esac
  servers="$servers          - url: http://$node
"
done
mkdir -p /etc/traefik/dynamic
# Renamed into place: Traefik reads the folder at any event.
while IFS= read -r line || [ -n "$line" ]; do
  case "$line" in
    *'# @SERVERS@') printf '%s' "$servers" ;;
    *) printf '%s\n' "$line" ;;
  esac
done < /lab/dynamic.yml > /etc/traefik/dynamic/sites.yml.new
mv /etc/traefik/dynamic/sites.yml.new /etc/traefik/dynamic/sites.yml

# api.insecure: its API, ping and metrics on a port that is on loopback and in the stack's own network only.
exec traefik \
  --global.checkNewVersion=false --global.sendAnonymousUsage=false --log.level=WARN \
  --entryPoints.web.address=:80 --entryPoints.web.forwardedHeaders.trustedIPs="$EDGE_NETWORKS" \
  --entryPoints.traefik.address=:8080 --api.insecure=true --api.dashboard=false --ping=true --ping.entryPoint=traefik \
  --providers.file.directory=/etc/traefik/dynamic --providers.providersThrottleDuration=500ms \
  --metrics.prometheus=true --metrics.prometheus.addRoutersLabels=true \
  --metrics.prometheus.buckets=0.005,0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10

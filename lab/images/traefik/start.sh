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
while IFS= read -r line || [ -n "$line" ]; do
  case "$line" in
    *'# @SERVERS@') printf '%s' "$servers" ;;
    *) printf '%s\n' "$line" ;;
  esac
done < /lab/dynamic.yml > /etc/traefik/sites.yml

# What it routes lies on a volume that Sluice has too: what Sluice writes there, a restart keeps. Rules or nodes that are new to this
# lab begin anew. Traefik reads neither of the other names.
live=/etc/traefik/dynamic
mkdir -p "$live"
if ! cmp -s /etc/traefik/sites.yml "$live/rendered" || [ ! -s "$live/sites.yml" ]; then
  cp /etc/traefik/sites.yml "$live/sites.yml.new"
  mv "$live/sites.yml.new" "$live/sites.yml"
  cp /etc/traefik/sites.yml "$live/rendered"
fi
# The user of Sluice's image.
chown -R 1000:1000 "$live"

# Recent requests, by which Sluice shows beforehand what a change does. Of an older start none are needed.
mkdir -p /var/log/traefik
: > /var/log/traefik/access.log

# Routers by labels as well, where the engine can be asked: only those of this project, as others may run beside it.
if [ -S /var/run/docker.sock ]; then
  set -- --providers.docker=true --providers.docker.exposedByDefault=false \
    --providers.docker.constraints="Label(\`com.docker.compose.project\`, \`${PROJECT:-sluice}\`)"
else
  set --
fi

# api.insecure: its API, ping and metrics on a port that is on loopback and in the stack's own network only.
exec traefik \
  --global.checkNewVersion=false --global.sendAnonymousUsage=false --log.level=WARN \
  --entryPoints.web.address=:80 --entryPoints.web.forwardedHeaders.trustedIPs="$EDGE_NETWORKS" \
  --entryPoints.traefik.address=:8080 --api.insecure=true --api.dashboard=false --ping=true --ping.entryPoint=traefik \
  --providers.file.directory=/etc/traefik/dynamic --providers.providersThrottleDuration=500ms \
  --accesslog=true --accesslog.format=json --accesslog.filePath=/var/log/traefik/access.log \
  --metrics.prometheus=true --metrics.prometheus.addRoutersLabels=true \
  --metrics.prometheus.buckets=0.005,0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10 \
  "$@"

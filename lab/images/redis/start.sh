#!/bin/sh
# Runs Redis with a password that is on no command line. `health` asks it for a PONG.
set -eu
if [ "${1:-}" = health ]; then
  REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli ping | grep -q PONG
  exit
fi
: "${REDIS_PASSWORD:?}"
umask 077
# The queue must outlive a restart, so an evicted key is never an option.
cat > /run/redis.conf <<CONF
bind 0.0.0.0
port 6379
protected-mode yes
requirepass $REDIS_PASSWORD
dir /data
appendonly yes
appendfsync everysec
save ""
maxmemory ${REDIS_MAXMEMORY:-160mb}
maxmemory-policy noeviction
CONF
chown redis:redis /run/redis.conf
chown -R redis:redis /data
exec setpriv --reuid=redis --regid=redis --clear-groups redis-server /run/redis.conf

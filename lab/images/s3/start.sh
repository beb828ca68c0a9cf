#!/bin/sh
# Serves /data: each folder is a bucket. The keys come by the environment.
set -eu
if [ "${1:-}" = health ]; then
  exec curl -fsS -m 3 -o /dev/null http://127.0.0.1:7070/health
fi
: "${ROOT_ACCESS_KEY:?}" "${ROOT_SECRET_KEY:?}"
mkdir -p /data/backups
chown -R nobody:nogroup /data
exec setpriv --reuid=nobody --regid=nogroup --clear-groups versitygw --port :7070 --health /health --region us-east-1 posix /data

#!/bin/sh
# Runs the built server. `health` asks whether it lives; whether its API does is its own page /health.
set -eu
if [ "${1:-}" = health ]; then
  exec node -e 'fetch("http://127.0.0.1:3000/lab-alive", { signal: AbortSignal.timeout(3000) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))'
fi
export HOST=0.0.0.0 PORT=3000 NODE_ENV=production
exec setpriv --reuid=nobody --regid=nogroup --clear-groups node /srv/nuxt/server/index.mjs

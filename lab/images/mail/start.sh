#!/bin/sh
# A mail server that delivers nothing. `health` asks both of its ports.
set -eu
if [ "${1:-}" = health ]; then
  curl -fsS -o /dev/null http://127.0.0.1:8025/refuse
  curl -fsS -o /dev/null -X NOOP smtp://127.0.0.1:25
  exit
fi
exec python3 -u /lab/mail.py

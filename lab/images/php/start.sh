#!/bin/sh
# One image, two roles: `fpm` answers Nginx, `worker` consumes the queue. `health` knows which it is in.
set -eu
role="${1:-fpm}"
if [ "$role" = health ]; then
  if [ -e /run/worker ]; then
    # The worker touches this file in its loop: a hung worker is alive to the kernel, not to us.
    [ "$(($(date +%s) - $(stat -c %Y /tmp/worker-alive)))" -lt 30 ]
  else
    SCRIPT_NAME=/fpm-ping SCRIPT_FILENAME=/fpm-ping REQUEST_METHOD=GET cgi-fcgi -bind -connect 127.0.0.1:9000 | grep -q pong
  fi
  exit
fi
cd /srv/site
as_www="setpriv --reuid=www-data --regid=www-data --init-groups"
# Both roles may come first, so both wait for the database; the seeding itself happens once.
$as_www php bin/console lab:seed --no-debug
case "$role" in
  fpm) exec php-fpm8.2 --nodaemonize ;;
  worker)
    : > /run/worker
    # Beside it: a Solr that is not there holds up nobody.
    $as_www php bin/console lab:index --no-debug &
    exec $as_www php bin/console messenger:consume async --no-debug --time-limit=3600 --memory-limit=96M ;;
  *) exec "$@" ;;
esac

#!/bin/sh
# Runs Solr with one core, "site". `health` asks that core for its ping.
set -eu
if [ "${1:-}" = health ]; then
  curl -fsS --max-time 3 -o /dev/null http://127.0.0.1:8983/solr/site/admin/ping
  exit
fi
# The volume keeps the index; the configuration is the image's each time.
mkdir -p /var/solr
cp -r /opt/solr/home/. /var/solr/
chown -R solr:solr /var/solr
cd /var/solr
exec setpriv --reuid=solr --regid=solr --clear-groups java -Xms128m "-Xmx${SOLR_HEAP:-256m}" \
  -Dsolr.solr.home=/var/solr -Dsolr.log.dir=/var/solr/logs -Dlog4j2.level=WARN \
  -cp '/opt/solr/classes:/opt/solr/lib/*' Serve

#!/bin/sh
# Prometheus, Alertmanager and the exporters of the stack. The container ends when any of them does, so that a part of the
# monitoring is never taken for the whole. `check` looks at configuration and rules and runs the rules' tests. HUP reads
# /prometheus again.
set -eu
case "${1:-}" in
  health)
    curl -fsS -o /dev/null http://127.0.0.1:9090/-/ready
    curl -fsS -o /dev/null http://127.0.0.1:9093/-/ready
    exit ;;
  check)
    promtool check config /prometheus/prometheus.yml
    amtool check-config /prometheus/alertmanager.yml
    promtool check rules /prometheus/rules/*.yml
    exec promtool test rules /prometheus/tests/*.yml ;;
esac
: "${REDIS_PASSWORD:?}" "${MARIADB_USER:?}" "${MARIADB_PASSWORD:?}" "${VARNISH_NODES:=}" "${SLUICE_ADDRESS:=}"

mkdir -p /run/lab
targets=""
for node in $VARNISH_NODES; do
  case "$node" in *[!a-zA-Z0-9.-]*) echo "not a host name: $node" >&2; exit 2 ;; esac
  targets="$targets'$node:9131', "
done
echo "- targets: [$targets]" > /run/lab/varnish.yml
case "$SLUICE_ADDRESS" in *[!a-zA-Z0-9.:-]*) echo "not an address: $SLUICE_ADDRESS" >&2; exit 2 ;; esac
echo "- targets: [${SLUICE_ADDRESS:+"'$SLUICE_ADDRESS'"}]" > /run/lab/sluice.yml
data=/var/lib/prometheus
mkdir -p "$data/metrics" "$data/alertmanager"
chown prometheus:prometheus "$data/metrics" "$data/alertmanager"

pids=""
start() {
  setpriv --reuid=prometheus --regid=prometheus --clear-groups "$@" &
  pids="$pids $!"
}
start prometheus --config.file=/prometheus/prometheus.yml --storage.tsdb.path="$data/metrics" \
  --storage.tsdb.retention.time="${PROMETHEUS_RETENTION:-4d}" --storage.tsdb.retention.size=512MB --log.level=warn
prometheus_pid=$!
# No cluster: looking for others would delay its start.
start prometheus-alertmanager --config.file=/prometheus/alertmanager.yml --storage.path="$data/alertmanager" \
  --cluster.listen-address= --log.level=warn
alertmanager_pid=$!
# Only what the rules ask about; the processors and the memory are the machine's, seen from here.
start prometheus-node-exporter --log.level=warn --collector.disable-defaults --collector.cpu --collector.meminfo \
  --collector.loadavg --collector.filefd --collector.netdev --collector.vmstat --collector.filesystem \
  --collector.filesystem.mount-points-exclude='^/(dev|proc|sys|prometheus|etc/hostname|etc/resolv.conf)($|/)'
# Passwords by the environment: a command line is for everybody to read.
REDIS_ADDR=redis://redis:6379 start prometheus-redis-exporter -check-single-streams messages
# What an account without privileges may read.
DATA_SOURCE_NAME="$MARIADB_USER:$MARIADB_PASSWORD@(mariadb:3306)/" start prometheus-mysqld-exporter --log.level=warn \
  --no-collect.slave_status --no-collect.info_schema.innodb_cmp --no-collect.info_schema.innodb_cmpmem \
  --no-collect.info_schema.query_response_time
start prometheus-nginx-exporter -nginx.scrape-uri http://nginx:8080/stub_status -nginx.retries 120 -nginx.retry-interval 1s

alive() { for pid in $pids; do kill -0 "$pid" 2>/dev/null || return 1; done; }
trap 'kill -TERM $pids 2>/dev/null || true; wait; exit 0' TERM INT
trap 'kill -HUP "$prometheus_pid" "$alertmanager_pid"' HUP
while alive; do
  # sleep in the background: a signal then ends the wait at once.
  sleep 1 & wait $! || true
done
kill -TERM $pids 2>/dev/null || true
wait
exit 1

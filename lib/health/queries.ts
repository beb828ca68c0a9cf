// What Prometheus is asked of each kind of component, by the names of the exporters (docs/health.md): the one table of it.
import type { SignalUnit } from "./contract";

export type Signal = {
  /** The word of it in sluice.yaml (`health.queries`) and in messages. */
  readonly key: string;
  readonly unit: SignalUnit;
  /** PromQL with $labels (the component's matchers, the last ones within braces) and $window (of a rate). */
  readonly promql: string;
  /** One line for each value of this label; a single line when left out. */
  readonly by?: string;
  /** It follows the day and the week: what is usual at this time can be told. */
  readonly season?: true;
};

export type KindQueries = {
  /** 1 when the exporter reaches the server, 0 when not; null where nobody says so. */
  readonly up: string | null;
  /** 1 when Prometheus reaches the exporter, 0 when not. */
  readonly scraped: string;
  readonly signals: readonly Signal[];
};

/** `up` is every target's: the exporter's own is the one that has told `metric` of late. A comma at the end of matchers is PromQL. */
const scraped = (metric: string): string =>
  `max(up and on (job, instance) last_over_time(${metric}{$labels}[6h]))`;
const sum = (metric: string, matchers = ""): string => `sum(rate(${metric}{${matchers}$labels}[$window]))`;
/** Of two sums of rates; a part without series is zero, not unknown. */
const share = (part: string, whole: string): string => `(${part} or 0 * ${whole}) / ${whole}`;
const quantile = (bucket: string, matchers = "", by = ""): string =>
  `histogram_quantile(0.95, sum by (le${by}) (rate(${bucket}{${matchers}$labels}[$window])))`;
/** Hits of hits and misses. */
const hits = (hit: string, miss: string): string => `${sum(hit)} / (${sum(hit)} + ${sum(miss)})`;

const requests = (promql: string): Signal => ({ key: "requests", unit: "perSecond", promql, season: true });
const p95 = (promql: string): Signal => ({ key: "p95", unit: "ms", promql, season: true });
const signal = (key: string, unit: SignalUnit, promql: string, by?: string): Signal => ({
  key,
  unit,
  promql,
  ...(by === undefined ? {} : { by }),
});

const traefik = "traefik_entrypoint_requests_total";
const service = (code: string): string =>
  `sum by (service) (rate(traefik_service_requests_total{${code}$labels}[$window]))`;
const symfony = 'action="all",';

const solr10Requests = sum("solr_core_requests_total", 'internal="false",');
/** Without the parts that a node asks of others. */
const solr9Handlers = 'handler!~".*[[]shard[]]",';
const solr9Requests = sum("solr_metrics_core_requests_total", `type=~"|requests",${solr9Handlers}`);
const solr9Errors = `(${sum("solr_metrics_core_requests_total", `type="errors",${solr9Handlers}`)} or ${sum("solr_metrics_core_errors_total", solr9Handlers)})`;

export const kindQueries: Readonly<Record<string, KindQueries>> = {
  traefik: {
    // It tells its figures itself: who reaches them reaches it.
    up: scraped("traefik_config_reloads_total"),
    scraped: scraped("traefik_config_reloads_total"),
    signals: [
      requests(sum(traefik)),
      signal("errors", "share", share(sum(traefik, 'code=~"5..",'), sum(traefik))),
      p95(`1000 * ${quantile("traefik_entrypoint_request_duration_seconds_bucket")}`),
      signal("service_errors", "share", share(service('code=~"5..",'), service("")), "service"),
      signal(
        "service_p95",
        "ms",
        `1000 * ${quantile("traefik_service_request_duration_seconds_bucket", "", ", service")}`,
        "service",
      ),
      signal("certificate_days", "days", "(min(traefik_tls_certs_not_after{$labels}) - time()) / 86400"),
    ],
  },
  varnish: {
    up: "max(varnish_up{$labels})",
    scraped: scraped("varnish_up"),
    signals: [
      requests(sum("varnish_main_client_req")),
      signal("hit_ratio", "share", hits("varnish_main_cache_hit", "varnish_main_cache_miss")),
      // Passes are invisible to hits and misses: what reached a backend was not answered by the cache.
      signal(
        "offload",
        "share",
        `clamp_min(1 - ${sum("varnish_main_backend_req")} / ${sum("varnish_main_client_req")}, 0)`,
      ),
      signal(
        "errors",
        "share",
        share(sum("varnish_main_fetch", 'type="failed",'), sum("varnish_main_client_req")),
      ),
      signal("backends_up", "count", "max by (backend) (varnish_backend_up{$labels})", "backend"),
      signal("nuked", "perSecond", sum("varnish_main_n_lru_nuked")),
      signal("dropped", "perSecond", sum("varnish_main_sessions", 'type="dropped",')),
    ],
  },
  nginx: {
    up: "max(nginx_up{$labels})",
    scraped: scraped("nginx_up"),
    signals: [
      requests(sum("nginx_http_requests_total")),
      signal("connections", "count", "sum(nginx_connections_active{$labels})"),
      signal(
        "dropped",
        "perSecond",
        `clamp_min(${sum("nginx_connections_accepted")} - ${sum("nginx_connections_handled")}, 0)`,
      ),
    ],
  },
  php_fpm: {
    // The exporter says 0. PHP's own page, which has the same names, cannot: when the pool is down there is no page.
    up: `max(phpfpm_up{$labels}) or ${scraped("phpfpm_accepted_connections")}`,
    scraped: scraped("phpfpm_accepted_connections"),
    signals: [
      requests(sum("phpfpm_accepted_connections")),
      signal(
        "workers_busy",
        "share",
        "sum(phpfpm_active_processes{$labels}) / sum(phpfpm_total_processes{$labels})",
      ),
      signal("queue", "count", "sum(phpfpm_listen_queue{$labels})"),
      signal("full", "count", "sum(increase(phpfpm_max_children_reached{$labels}[$window]))"),
    ],
  },
  http: {
    up: null,
    scraped: scraped("symfony_http_requests_total"),
    // The bundle counts each request twice: by its action, and as "all".
    signals: [
      requests(sum("symfony_http_requests_total", symfony)),
      signal(
        "errors",
        "share",
        share(sum("symfony_http_5xx_responses_total", symfony), sum("symfony_http_requests_total", symfony)),
      ),
      p95(`1000 * ${quantile("symfony_request_durations_histogram_seconds_bucket", symfony)}`),
    ],
  },
  messenger: {
    up: null,
    scraped: scraped("redis_stream_group_messages_pending"),
    signals: [
      // Older exporters do not know the lag; a stream's length is as good where what was handled is deleted, as is usual.
      signal(
        "waiting",
        "count",
        "max(redis_stream_group_lag{$labels}) or clamp_min(max(redis_stream_length{$labels}) - max(redis_stream_group_messages_pending{$labels}), 0)",
      ),
      signal("in_work", "count", "max(redis_stream_group_messages_pending{$labels})"),
    ],
  },
  mariadb: {
    up: "max(mysql_up{$labels})",
    scraped: scraped("mysql_up"),
    signals: [
      requests(sum("mysql_global_status_queries")),
      signal(
        "connections_used",
        "share",
        "max(mysql_global_status_threads_connected{$labels}) / max(mysql_global_variables_max_connections{$labels})",
      ),
      signal("slow", "perSecond", sum("mysql_global_status_slow_queries")),
      signal(
        "hit_ratio",
        "share",
        `1 - ${sum("mysql_global_status_innodb_buffer_pool_reads")} / ${sum("mysql_global_status_innodb_buffer_pool_read_requests")}`,
      ),
      signal("lag", "seconds", "max(mysql_slave_status_seconds_behind_master{$labels})"),
    ],
  },
  redis: {
    up: "max(redis_up{$labels})",
    scraped: scraped("redis_up"),
    signals: [
      requests(sum("redis_commands_processed_total")),
      signal("hit_ratio", "share", hits("redis_keyspace_hits_total", "redis_keyspace_misses_total")),
      signal("memory", "bytes", "sum(redis_memory_used_bytes{$labels})"),
      // Without a limit there is no share of it.
      signal(
        "memory_used",
        "share",
        "max(redis_memory_used_bytes{$labels}) / (max(redis_memory_max_bytes{$labels}) > 0)",
      ),
      signal("evicted", "perSecond", sum("redis_evicted_keys_total")),
    ],
  },
  // Solr tells its metrics itself: 9.7 and later as an exporter of 9 names them, but with `type`; 10 by names of its own.
  solr: {
    // The exporter says by its ping; Solr's own page cannot: when Solr is down there is no page.
    up: `max(solr_ping{$labels}) or ${scraped("solr_core_requests_total")} or max(up and on (job, instance) last_over_time(solr_metrics_core_requests_total{type="requests",$labels}[6h]))`,
    scraped:
      'max(up and on (job, instance) last_over_time({__name__=~"solr_core_requests_total|solr_metrics_core_requests_total",$labels}[6h]))',
    signals: [
      // Of every request Solr 9 itself tells its errors again beside it, by `type`; the exporter has no such label.
      requests(`${solr10Requests} or ${solr9Requests}`),
      signal(
        "errors",
        "share",
        `${share(sum("solr_core_requests_errors_total", 'internal="false",'), solr10Requests)} or ${share(solr9Errors, solr9Requests)}`,
      ),
      // Solr 9 itself has no 95: what 99 of 100 are within, 95 are too.
      p95(
        `${quantile("solr_core_requests_times_milliseconds_bucket", 'handler="/select",internal="false",')} or max(solr_metrics_core_query_p95_ms{$labels}) or max(solr_metrics_core_request_time_ms{handler="/select",quantile="0.99",$labels})`,
      ),
    ],
  },
  // The machine of an Engine, by node_exporter.
  docker: {
    up: null,
    scraped: scraped("node_boot_time_seconds"),
    signals: [
      signal("cpu", "share", '1 - avg(rate(node_cpu_seconds_total{mode="idle",$labels}[$window]))'),
      signal(
        "memory_used",
        "share",
        "1 - sum(node_memory_MemAvailable_bytes{$labels}) / sum(node_memory_MemTotal_bytes{$labels})",
      ),
      signal(
        "load",
        "ratio",
        'sum(node_load5{$labels}) / count(node_cpu_seconds_total{mode="idle",$labels})',
      ),
      signal(
        "disk_used",
        "share",
        'max by (mountpoint) (1 - node_filesystem_avail_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs",$labels} / node_filesystem_size_bytes{fstype!~"tmpfs|ramfs|overlay|squashfs",$labels})',
        "mountpoint",
      ),
      signal(
        "received",
        "bytesPerSecond",
        sum("node_network_receive_bytes_total", 'device!~"lo|veth.*|br-.*|docker.*",'),
      ),
      signal(
        "sent",
        "bytesPerSecond",
        sum("node_network_transmit_bytes_total", 'device!~"lo|veth.*|br-.*|docker.*",'),
      ),
    ],
  },
  prometheus: {
    up: null,
    scraped: scraped("prometheus_build_info"),
    signals: [
      signal("targets_down", "count", "count(up == 0) or vector(0)"),
      signal(
        "rule_failures",
        "count",
        "sum(increase(prometheus_rule_evaluation_failures_total{$labels}[$window]))",
      ),
      signal("reloaded", "count", "min(prometheus_config_last_reload_successful{$labels})"),
    ],
  },
};

/** By kind and signal ("up" and "scraped" among them), what sluice.yaml asks instead. */
export type Overrides = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** What may stand under a kind in `health.queries`; null for a kind that is not asked about. */
export function signalNames(kind: string): string[] | null {
  const queries = Object.hasOwn(kindQueries, kind) ? kindQueries[kind] : undefined;
  return queries === undefined ? null : ["up", "scraped", ...queries.signals.map(({ key }) => key)];
}

/** The table's row of a kind with what sluice.yaml says instead; null for a kind that is not asked about. */
export function queriesOf(kind: string, overrides: Overrides = {}): KindQueries | null {
  const queries = Object.hasOwn(kindQueries, kind) ? kindQueries[kind] : undefined;
  if (queries === undefined) return null;
  const own = overrides[kind] ?? {};
  return {
    up: own.up ?? queries.up,
    scraped: own.scraped ?? queries.scraped,
    signals: queries.signals.map((one) => ({ ...one, promql: own[one.key] ?? one.promql })),
  };
}

/** The PromQL to send. `labels`: matchers without braces, or empty; `window`: such as "1m". */
export const filled = (promql: string, labels: string, window: string): string =>
  promql.replace(/\$(labels|window)\b/g, (_all, name) => (name === "labels" ? labels : window));

/** What is wrong with a query of sluice.yaml, in English; null when nothing that can be seen without Prometheus is. */
export function faultOf(promql: string): string | null {
  const unknown = /\$\{?\w+/g;
  for (const [found] of promql.matchAll(unknown))
    if (found !== "$labels" && found !== "$window")
      return `${found} is not known here; there are $labels and $window.`;
  return /\{[^}]*\$labels\s*\}/.test(promql)
    ? null
    : "it needs {$labels} at a metric, the last thing within the braces: that tells one component's figures from another's.";
}

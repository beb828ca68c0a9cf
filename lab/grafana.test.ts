// Grafana's dashboards: valid, found by uids that never change, on the provisioned data source, and of metrics that exist.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { type House, openHouse } from "../lib/auth/house.fixture";
import { filled, kindQueries } from "../lib/health/queries";
import { exposition } from "../lib/metrics/exposition";

let house: House;
beforeAll(async () => {
  house = await openHouse("");
});
afterAll(() => house.close());

const folder = join(import.meta.dirname, "grafana");
const read = (...path: string[]): string => readFileSync(join(folder, ...path), "utf8");

const source = z.object({ type: z.string(), uid: z.string() });
const dashboard = z.object({
  uid: z.string().regex(/^sluice-[a-z-]{1,30}$/),
  title: z.string().min(1),
  schemaVersion: z.int().min(39),
  tags: z.array(z.string()),
  templating: z.object({
    list: z
      .array(
        z.object({
          name: z.string(),
          type: z.literal("query"),
          datasource: source,
          query: z.object({ query: z.string() }),
        }),
      )
      .min(1),
  }),
  annotations: z.object({
    list: z.array(z.object({ target: z.object({ tags: z.array(z.string()) }) })),
  }),
  panels: z
    .array(
      z.object({
        id: z.int(),
        title: z.string().min(1),
        datasource: source,
        gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
        targets: z.array(z.object({ refId: z.string(), datasource: source, expr: z.string().min(1) })).min(1),
      }),
    )
    .min(1),
});
const files = readdirSync(join(folder, "dashboards")).filter((file) => file.endsWith(".json"));
const boards = files.map((file) => ({
  file,
  board: dashboard.parse(JSON.parse(read("dashboards", file))),
}));
const { datasources } = parse(read("datasources", "prometheus.yml")) as {
  datasources: { uid: string; type: string; url: string }[];
};

/** The metrics that an expression names. */
function metricsOf(expr: string): string[] {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\{[^}]*\}/g, "")
    .replace(/\[[^\]]*\]/g, "")
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, "");
  const words = /\b(?:and|or|unless|bool|offset|by|without|on|ignoring|group_left|group_right)\b/;
  return [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w*\s*\()/g)]
    .filter(({ 0: name, index }) => !/[\w.$]/.test(bare[index - 1] ?? "") && !words.test(name))
    .map(([name]) => name);
}

/** What the exporters have beside what Sluice asks for and the rules watch; each was seen from a real one. */
const ofExporters = `
  node_cpu_seconds_total node_filefd_allocated node_filefd_maximum node_filesystem_avail_bytes node_filesystem_size_bytes node_load5
  node_memory_MemAvailable_bytes node_memory_MemTotal_bytes node_network_receive_bytes_total node_network_transmit_bytes_total
  node_vmstat_pswpin node_vmstat_pswpout
  varnish_backend_up varnish_main_backend_fail varnish_main_bans varnish_main_bans_completed varnish_main_cache_hit
  varnish_main_cache_hit_grace varnish_main_cache_miss varnish_main_n_lru_nuked varnish_main_n_object varnish_main_s_pass
  varnish_main_thread_queue_len varnish_main_threads varnish_sma_g_bytes varnish_sma_g_space
  nginx_connections_accepted nginx_connections_active nginx_connections_handled nginx_connections_reading nginx_connections_waiting
  nginx_connections_writing
  phpfpm_active_processes phpfpm_idle_processes phpfpm_listen_queue phpfpm_max_children_reached phpfpm_slow_requests
  mysql_global_status_aborted_clients mysql_global_status_aborted_connects mysql_global_status_bytes_received
  mysql_global_status_bytes_sent mysql_global_status_created_tmp_disk_tables mysql_global_status_innodb_buffer_pool_read_requests
  mysql_global_status_innodb_buffer_pool_reads mysql_global_status_innodb_row_lock_waits mysql_global_status_slow_queries
  mysql_global_status_threads_connected mysql_global_status_threads_running mysql_global_variables_max_connections
  mysql_slave_status_seconds_behind_master
  redis_blocked_clients redis_connected_clients redis_db_keys redis_evicted_keys_total redis_expired_keys_total
  redis_keyspace_hits_total redis_keyspace_misses_total redis_memory_max_bytes redis_memory_used_bytes
  redis_rejected_connections_total redis_stream_group_messages_pending redis_stream_length
`;

async function known(): Promise<Set<string>> {
  const asked = Object.values(kindQueries).flatMap(({ up, signals }) =>
    [up ?? "", ...signals.map(({ promql }) => promql)].flatMap((promql) =>
      metricsOf(filled(promql, "", "1m")),
    ),
  );
  const { text } = await exposition();
  const own = [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = "", type]) =>
    type === "histogram" ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  );
  return new Set([...ofExporters.trim().split(/\s+/), ...asked, ...own, "up"]);
}

test("metrics are found in an expression, and nothing else is", () => {
  expect(
    metricsOf('sum by (le, instance) (rate(a_total{job=~"x|y",c="d e"}[$__rate_interval])) / on (a) b:c'),
  ).toEqual(["a_total", "b:c"]);
  expect(metricsOf('1 - (d or vector(0)) > 0.95 and e{x="}"} offset 5h')).toContain("e");
  expect(metricsOf("histogram_quantile(0.5, sum(f_bucket))")).toEqual(["f_bucket"]);
});

test("one data source, by its uid, with no address of its own", () => {
  expect(datasources).toEqual([
    expect.objectContaining({ uid: "sluice-prometheus", type: "prometheus", url: "$PROMETHEUS_URL" }),
  ]);
});

test("every dashboard has a uid, a title and a name of its own", () => {
  const names = ["mariadb", "nginx-php-fpm", "node", "overview", "redis", "sluice", "varnish"];
  expect(files.map((file) => file.replace(".json", "")).sort()).toEqual(names);
  expect(new Set(boards.map(({ board }) => board.title)).size).toBe(names.length);
  for (const { file, board } of boards) expect(board.uid).toBe(`sluice-${file.replace(".json", "")}`);
});

test.each(boards)("$file: one data source, panels beside each other, its variables used", ({ board }) => {
  const { panels, templating, annotations, tags } = board;
  const used = [...panels, ...panels.flatMap(({ targets }) => targets), ...templating.list];
  for (const { datasource } of used) expect(datasource.uid).toBe(datasources[0]?.uid);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, index) => `${x + (index % w)} ${y + Math.floor(index / w)}`),
  );
  expect(new Set(cells).size, "panels lie over each other").toBe(cells.length);
  expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
  const text = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)).join("\n");
  for (const { name } of templating.list) expect(text).toContain(`$${name}`);
  const variables = new Set([...templating.list.map(({ name }) => name), "__rate_interval"]);
  for (const [, name = ""] of text.matchAll(/\$(\w+)/g)) expect(variables).toContain(name);
  expect(tags).toEqual(["sluice"]);
  // Changes are marked by Sluice with this tag (lib/annotations).
  expect(annotations.list[0]?.target.tags).toEqual(["sluice"]);
});

test("every metric of a dashboard, a variable or a rule of Sluice's own is one that exists", async () => {
  const all = await known();
  const rules = parse(readFileSync(join(import.meta.dirname, "prometheus/rules/sluice.yml"), "utf8")) as {
    groups: { rules: { expr: string }[] }[];
  };
  const expressions = [
    ...boards.flatMap(({ board }) => [
      ...board.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...board.templating.list.map(
        ({ query }) => /^label_values\((.+), \w+\)$/.exec(query.query)?.[1] ?? "?",
      ),
    ]),
    ...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr)),
  ];
  const unknown = expressions.flatMap((expr) => metricsOf(expr).filter((name) => !all.has(name)));
  expect([...new Set(unknown)]).toEqual([]);
  for (const expr of expressions) expect(metricsOf(expr), expr).not.toEqual([]);
  // What is listed here is asked for somewhere.
  const asked = new Set(expressions.flatMap(metricsOf));
  expect(
    ofExporters
      .trim()
      .split(/\s+/)
      .filter((name) => !asked.has(name)),
  ).toEqual([]);
});

// Ways into Grafana at a time range: a dashboard with its variables, and Explore with a query. Pure.

/** Milliseconds since the epoch. */
export type LinkRange = { readonly from: number; readonly to: number };
type Home = {
  /** Where browsers reach it, perhaps with a path. */
  readonly url: string;
  readonly org: number;
};
/** What a dashboard's variables may be made of. */
export type Described = {
  readonly kind: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
};

const placeholder = /\{([^{}]*)\}/g;

/** Placeholders that are none, as they stand. */
export function unknownVariables(template: string): string[] {
  return [...template.matchAll(placeholder)]
    .filter(([, name = ""]) => name !== "kind" && name !== "name" && !/^labels\.\w+$/.test(name))
    .map(([all]) => all);
}

/** A template's text; null when it names a label that there is not. */
function variable(template: string, { kind, name, labels }: Described): string | null {
  let known = true;
  const text = template.replace(placeholder, (_all, key: string) => {
    if (key === "kind") return kind;
    if (key === "name") return name;
    const value = labels[key.slice("labels.".length)];
    if (value === undefined) known = false;
    return value ?? "";
  });
  return known ? text : null;
}

/** A dashboard at a range; a variable that cannot be filled is left to the dashboard's own default. */
export function dashboardLink(
  { url, org }: Home,
  dashboard: { readonly uid: string; readonly vars: Readonly<Record<string, string>> },
  component: Described,
  { from, to }: LinkRange,
): string {
  const query = new URLSearchParams({ orgId: `${org}` });
  for (const [name, template] of Object.entries(dashboard.vars)) {
    const value = variable(template, component);
    if (value !== null) query.append(`var-${name}`, value);
  }
  query.set("from", `${from}`);
  query.set("to", `${to}`);
  return `${url}/d/${encodeURIComponent(dashboard.uid)}?${query}`;
}

/** Explore with one PromQL query at a range. */
export function exploreLink(
  { url, org }: Home,
  datasource: string,
  expr: string,
  { from, to }: LinkRange,
): string {
  const pane = {
    datasource,
    queries: [{ refId: "A", datasource: { type: "prometheus", uid: datasource }, expr }],
    // As texts: numbers are not taken.
    range: { from: `${from}`, to: `${to}` },
  };
  // The pane's key has three characters, and is no number.
  const query = new URLSearchParams({
    schemaVersion: "1",
    orgId: `${org}`,
    panes: JSON.stringify({ slu: pane }),
  });
  return `${url}/explore?${query}`;
}

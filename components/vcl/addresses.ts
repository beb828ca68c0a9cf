// Addresses of the VCL room. What is opened: a revision's number, "node:<name>" for what a node runs, "template:<key>".

export const editAddress = (cluster: string, from: string): string =>
  `/vcl/edit?${new URLSearchParams({ cluster, from })}`;

export const compareAddress = (cluster: string, before: string, after: string): string =>
  `/vcl/compare?${new URLSearchParams({ cluster, before, after })}`;

export const rollAddress = (cluster: string, number: number): string =>
  `/vcl?${new URLSearchParams({ cluster, roll: String(number) })}`;

export const nodeAddress = (node: string): string => `/vcl/nodes/${encodeURIComponent(node)}`;

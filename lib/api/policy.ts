// Who may call what: the lowest role and the API key scopes of every procedure. One without a row here does not compile.

import type { Scope } from "../auth/permissions";
import type { Role } from "../changes/kind";
import type { contract } from "./contract";

export type Policy = {
  readonly role: Role;
  /** A key needs one of these, or "all". "person": no key may. */
  readonly keys: readonly Scope[] | "person";
  /** Allowed before a one-time password is changed. */
  readonly beforePasswordChange?: true;
};

export const policies = {
  purges: {
    // Which targets an editor may purge is checked by the kind itself, with the input.
    plan: { role: "editor", keys: ["purge"] },
    create: { role: "editor", keys: ["purge"] },
    get: { role: "viewer", keys: ["read", "purge"] },
    objects: { role: "viewer", keys: ["read", "purge"] },
    sites: { role: "viewer", keys: ["read", "purge"] },
    outbox: { role: "viewer", keys: ["read"] },
    doctor: { role: "operator", keys: ["all"] },
  },
  changes: {
    list: { role: "viewer", keys: ["read"] },
    get: { role: "viewer", keys: ["read"] },
    cancel: { role: "editor", keys: ["purge"] },
    undo: { role: "editor", keys: ["all"] },
  },
  connections: {
    list: { role: "viewer", keys: ["read"] },
    test: { role: "operator", keys: ["all"] },
  },
  health: {
    river: { role: "viewer", keys: ["read"] },
    events: { role: "viewer", keys: ["read"] },
    list: { role: "viewer", keys: ["read"] },
    get: { role: "viewer", keys: ["read"] },
    signals: { role: "viewer", keys: ["read"] },
  },
  incidents: {
    list: { role: "viewer", keys: ["read"] },
    get: { role: "viewer", keys: ["read"] },
    postMortem: { role: "viewer", keys: ["read"] },
    maintenances: { role: "viewer", keys: ["read"] },
    open: { role: "operator", keys: ["all"] },
    acknowledge: { role: "operator", keys: ["all"] },
    assign: { role: "operator", keys: ["all"] },
    note: { role: "operator", keys: ["all"] },
    close: { role: "operator", keys: ["all"] },
    announce: { role: "operator", keys: ["all"] },
    endMaintenance: { role: "operator", keys: ["all"] },
  },
  alerts: {
    list: { role: "viewer", keys: ["read"] },
    suspects: { role: "viewer", keys: ["read"] },
    planSilence: { role: "operator", keys: ["all"] },
    silence: { role: "operator", keys: ["all"] },
    expire: { role: "operator", keys: ["all"] },
  },
  notices: {
    // Titles of what failed stand in them, and who is told.
    channels: { role: "operator", keys: ["all"] },
    list: { role: "operator", keys: ["all"] },
    test: { role: "operator", keys: ["all"] },
    retry: { role: "operator", keys: ["all"] },
  },
  services: {
    list: { role: "viewer", keys: ["read"] },
    watch: { role: "viewer", keys: ["read"] },
    get: { role: "viewer", keys: ["read"] },
    usage: { role: "viewer", keys: ["read"] },
    logs: { role: "viewer", keys: ["read"] },
    // Removing is an administrator's; the kind itself says so, with the input.
    planAct: { role: "operator", keys: ["all"] },
    act: { role: "operator", keys: ["all"] },
    choices: { role: "operator", keys: ["all"] },
    planDeploy: { role: "admin", keys: ["all"] },
    deploy: { role: "admin", keys: ["all"] },
    images: { role: "viewer", keys: ["read"] },
    longerUsage: { role: "viewer", keys: ["read"] },
    deaths: { role: "viewer", keys: ["read"] },
    gone: { role: "viewer", keys: ["read"] },
    // It asks the registry, which counts who asks.
    imageTags: { role: "operator", keys: ["all"] },
    checkImage: { role: "operator", keys: ["all"] },
  },
  swarm: {
    get: { role: "viewer", keys: ["read"] },
    // A deploy is an administrator's; the kind itself says so, with the input.
    plan: { role: "operator", keys: ["all"] },
    act: { role: "operator", keys: ["all"] },
    choices: { role: "operator", keys: ["all"] },
  },
  cloudflare: {
    get: { role: "viewer", keys: ["read"] },
    planSecurity: { role: "operator", keys: ["all"] },
    security: { role: "operator", keys: ["all"] },
    planDevelopment: { role: "operator", keys: ["all"] },
    development: { role: "operator", keys: ["all"] },
  },
  vcl: {
    // A VCL tells what is inside, and who is let in from where.
    clusters: { role: "operator", keys: ["all"] },
    running: { role: "operator", keys: ["all"] },
    node: { role: "operator", keys: ["all"] },
    templates: { role: "operator", keys: ["all"] },
    check: { role: "operator", keys: ["all"] },
    tests: { role: "operator", keys: ["all"] },
    revisions: { role: "operator", keys: ["all"] },
    revision: { role: "operator", keys: ["all"] },
    save: { role: "operator", keys: ["all"] },
    planRollout: { role: "operator", keys: ["all"] },
    rollout: { role: "operator", keys: ["all"] },
    trial: { role: "operator", keys: ["all"] },
    planTry: { role: "operator", keys: ["all"] },
    try: { role: "operator", keys: ["all"] },
    endTry: { role: "operator", keys: ["all"] },
  },
  routing: {
    // Rules name what is inside, and who is let in from where.
    match: { role: "operator", keys: ["all"] },
    overview: { role: "operator", keys: ["all"] },
    // What is inside, and with cookies of one's own.
    trace: { role: "operator", keys: ["all"] },
    directories: { role: "operator", keys: ["all"] },
    files: { role: "operator", keys: ["all"] },
    words: { role: "operator", keys: ["all"] },
    check: { role: "operator", keys: ["all"] },
    act: { role: "operator", keys: ["all"] },
    revisions: { role: "operator", keys: ["all"] },
    revision: { role: "operator", keys: ["all"] },
    save: { role: "operator", keys: ["all"] },
    planApply: { role: "operator", keys: ["all"] },
    apply: { role: "operator", keys: ["all"] },
  },
  backup: {
    // Backups hold everything, secrets too.
    repositories: { role: "operator", keys: ["all"] },
    snapshots: { role: "operator", keys: ["all"] },
    folder: { role: "operator", keys: ["all"] },
    search: { role: "operator", keys: ["all"] },
    history: { role: "operator", keys: ["all"] },
    difference: { role: "operator", keys: ["all"] },
    planUnlock: { role: "operator", keys: ["all"] },
    unlock: { role: "operator", keys: ["all"] },
    planInit: { role: "operator", keys: ["all"] },
    init: { role: "operator", keys: ["all"] },
  },
  users: {
    me: { role: "viewer", keys: ["read", "purge"], beforePasswordChange: true },
    list: { role: "admin", keys: "person" },
    create: { role: "admin", keys: "person" },
    update: { role: "admin", keys: "person" },
    remove: { role: "admin", keys: "person" },
    resetPassword: { role: "admin", keys: "person" },
    keys: { role: "viewer", keys: "person" },
    createKey: { role: "viewer", keys: "person" },
    removeKey: { role: "viewer", keys: "person" },
  },
  live: {
    stream: { role: "viewer", keys: ["read"] },
  },
} as const satisfies { [D in keyof typeof contract]: { [P in keyof (typeof contract)[D]]: Policy } };

const rows: ReadonlyMap<string, Policy> = new Map(
  Object.entries(policies).flatMap(([domain, procedures]) =>
    Object.entries(procedures).map(([name, policy]): [string, Policy] => [`${domain}.${name}`, policy]),
  ),
);

/** The policy of the procedure at `path`, or null: then nobody may call it. */
export function policyOf(path: readonly string[]): Policy | null {
  return rows.get(path.join(".")) ?? null;
}

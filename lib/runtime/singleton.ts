// One instance per process. Next bundles instrumentation, pages and routes apart, so module state is not shared; globalThis is.

const home = globalThis as { __sluice?: Map<string, unknown> };
home.__sluice ??= new Map();
const registry = home.__sluice;

/** The process-wide value under `key`, made by `create` at the first call. */
export function singleton<T>(key: string, create: () => T): T {
  if (!registry.has(key)) registry.set(key, create());
  return registry.get(key) as T;
}

/** Forgets the value under `key` (tests, and a runtime that stops). */
export function forgetSingleton(key: string): void {
  registry.delete(key);
}

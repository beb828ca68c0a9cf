// Next calls this once per server process, before the first request: it starts Sluice's runtime.

export async function register(): Promise<void> {
  // In this form Next leaves the import out of builds for its other runtime.
  if (process.env.NEXT_RUNTIME === "nodejs") {
    // A build prerenders pages in workers of its own: no database, no lease, no gateway there.
    if (process.env.NEXT_PHASE === "phase-production-build") return;
    const { startProcess } = await import("./lib/runtime/process");
    await startProcess();
  }
}

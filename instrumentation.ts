// Next calls this once per server process, before the first request: it starts Sluice's runtime.

export async function register(): Promise<void> {
  // In this form Next leaves the import out of builds for its other runtime.
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { startProcess } = await import("./lib/runtime/process");
    await startProcess();
  }
}

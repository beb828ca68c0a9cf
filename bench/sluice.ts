// The runtime of Sluice without its pages, for benchmarks: says its gateway is up, stops when told to.
import { startRuntime, stopRuntime } from "@/lib/runtime/start";

await startRuntime();
process.stdout.write("ready\n");
process.stdin.once("data", () => {
  void stopRuntime().then(() => process.exit(0));
});
process.stdin.once("end", () => process.exit(0));

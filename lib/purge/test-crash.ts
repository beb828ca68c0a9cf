// For tests only: a Sluice without pages that is meant to be killed. `tsx lib/purge/test-crash.ts start <number of pages> | recover`
import { engine } from "@/lib/changes/engine";
import { startRuntime, stopRuntime } from "@/lib/runtime/start";

const [what, count] = process.argv.slice(2);
await startRuntime();
if (what === "start") {
  const urls = Array.from(
    { length: Number(count) },
    (_, index) => `http://site.localhost/fr/archive/${index + 1}`,
  );
  const id = await engine().start({
    kind: "purge",
    input: { target: { by: "url", urls }, mode: "hard", warm: "no" },
    actor: { type: "user", id: "op", name: "Olga", role: "operator", sites: null, scopes: null },
    origin: "page",
  });
  process.stdout.write(`started ${id}\n`);
  await engine().wait(id, 300_000);
} else {
  const row = await engine().wait(1, 300_000);
  process.stdout.write(`ended ${row.state} ${row.outcome}\n`);
}
await stopRuntime();
process.exit(0);

// For tests only: a process that is meant to be killed while it opens a trial. `tsx lib/vcl/try.fixture.ts start <input as JSON> | recover <change>`
import { engine } from "@/lib/changes/engine";
import { openDatabase } from "@/lib/db/open";
import { registerVcl } from "./register";

const [what, argument = ""] = process.argv.slice(2);
await openDatabase();
registerVcl();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
if (what === "start") {
  engine().onUpdate(({ progress }) => say(`step ${progress?.step ?? ""}`));
  const actor = { type: "user", id: "u1", name: "Ada", role: "operator", sites: null, scopes: null } as const;
  const id = await engine().start({ kind: "vcl.try", input: JSON.parse(argument), actor, origin: "page" });
  say(`started ${id}`);
  await engine().wait(id, 300_000);
} else {
  await engine().recover();
  const row = await engine().wait(Number(argument), 300_000);
  say(`ended ${row.state} ${row.outcome}`);
}
process.exit(0);

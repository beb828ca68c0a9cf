// For tests only: a process that is meant to be killed. `tsx lib/routing/files/apply.fixture.ts start <input as JSON> | recover <change>`
import { engine } from "@/lib/changes/engine";
import { openDatabase } from "@/lib/db/open";
import { registerRouting } from "./register";

const [what, argument = ""] = process.argv.slice(2);
await openDatabase();
registerRouting();
const say = (line: string): void => void process.stdout.write(`${line}\n`);
if (what === "start") {
  engine().onUpdate(({ progress }) => say(`step ${progress?.step ?? ""}`));
  const actor = {
    type: "user",
    id: "op",
    name: "Olga",
    role: "operator",
    sites: null,
    scopes: null,
  } as const;
  const input = JSON.parse(argument);
  const id = await engine().start({ kind: "traefik.apply", input, actor, origin: "page" });
  say(`started ${id}`);
  await engine().wait(id, 300_000);
} else {
  await engine().recover();
  const row = await engine().wait(Number(argument), 300_000);
  say(`ended ${row.state} ${row.outcome}`);
}
process.exit(0);

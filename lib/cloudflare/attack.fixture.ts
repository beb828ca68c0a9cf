// A process of its own for the test of a restart: begins an attack, or takes up what an earlier one left, and says so.
import { engine } from "../changes/engine";
import { startProcess } from "../runtime/process";
import { attacksService, securityKindName } from "./attacks";
import { registerCloudflare } from "./register";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
await startProcess({ kinds: [registerCloudflare], services: [attacksService] });
engine().onEnd((row) => say(`ended ${row.id} ${row.title} ${row.state} ${row.origin}`));
if (process.argv[2] === "start") {
  const actor = {
    type: "user",
    id: "u1",
    name: "Ada",
    role: "operator",
    sites: null,
    scopes: null,
  } as const;
  const input = { name: "cf", level: "under_attack", minutes: 30 };
  const id = await engine().start({ kind: securityKindName, input, actor, origin: "page" });
  await engine().wait(id, 20_000);
}
say("ready");
setInterval(() => {}, 1000);

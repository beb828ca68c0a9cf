// A process of its own for the crash test: starts (or takes up) a toy change and says what it does on standard output.
import { openDatabase } from "../db/open";
import { ChangeEngine } from "./engine";
import { toyKind } from "./toy.fixture";

const [mode, file] = process.argv.slice(2);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

await openDatabase();
const engine = new ChangeEngine();
engine.register(toyKind("resume"));
engine.register(toyKind("interrupted", "fragile"));
if (mode === "start") {
  const actor = { type: "user", id: "u1", name: "Ada", role: "editor", sites: null, scopes: null } as const;
  const input = { file: file ?? "", from: 0, to: 60, stepMs: 20 };
  const ids = [
    await engine.start({ kind: "toy", input, actor, origin: "page" }),
    // Waits for the first: nothing of it is done when the process dies.
    await engine.start({ kind: "toy", input: { ...input, from: 60, to: 70 }, actor, origin: "page" }),
    await engine.start({
      kind: "fragile",
      input: { ...input, from: 1000, to: 2000, targets: ["other"] },
      actor,
      origin: "page",
    }),
  ];
  say(`accepted ${ids.join(" ")}`);
} else {
  const { resumed, interrupted } = await engine.recover();
  say(`recovered ${resumed} ${interrupted}`);
  for (const id of [1, 2, 3]) say(`${id} ${(await engine.wait(id, 10_000)).state}`);
  process.exit(0);
}

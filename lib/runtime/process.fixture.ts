// A process of its own for the runtime's tests: one service that works, one that does not, and a change that takes long.
import { engine } from "../changes/engine";
import { toyKind } from "../changes/toy.fixture";
import { AppError } from "../errors/app-error";
import { startProcess } from "./process";
import { serviceStates } from "./service-states";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const works = (name: string) => ({
  name,
  start: async () => {
    say(`${name} starts`);
    return async () => say(`${name} stops`);
  },
});
const fails = {
  name: "gateway",
  start: async () => {
    throw new AppError("CONFLICT", "Port 3100 is in use.");
  },
};
await startProcess({
  kinds: [() => engine().register(toyKind("resume"))],
  services: [works("one"), fails, works("two")],
});
say(
  serviceStates()
    .map(({ name, state, error }) => `${name} ${state}${error === null ? "" : ` ${error.message}`}`)
    .join(", "),
);
const actor = {
  type: "system",
  id: null,
  name: "test",
  role: "operator",
  sites: null,
  scopes: null,
} as const;
const input = { file: `${process.env.SLUICE_DATA}/count`, from: 0, to: 100_000, stepMs: 5 };
say(`accepted ${await engine().start({ kind: "toy", input, actor, origin: "api" })}`);
setInterval(() => {}, 1000);

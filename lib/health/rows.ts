// What the database keeps of a state, read back.
import { type ToldProblem, toldProblem } from "../errors/contract";
import { type HealthState, healthState } from "./contract";

export const readState = (text: string): HealthState => healthState.catch("unknown").parse(text);

export function readProblem(text: string | null): ToldProblem | null {
  if (text === null) return null;
  const read = toldProblem.safeParse(JSON.parse(text));
  return read.success ? read.data : null;
}

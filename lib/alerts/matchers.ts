// Which alerts a silence reaches, by Alertmanager's own rules: RE2, anchored at both ends; a label that is not there is empty.
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { AppError } from "../errors/app-error";
import type { Matcher } from "./contract";

type Labels = Readonly<Record<string, string>>;
type Test = (labels: Labels) => boolean;

/** Where a pattern is wrong, counted from one: where what it complains of begins, or its end where something is missing. */
function positionOf(pattern: string, piece: string): number {
  const at = piece === pattern ? -1 : pattern.indexOf(piece);
  return at === -1 ? pattern.length + 1 : at + 1;
}

function patternOf({ value }: Matcher, index: number): RE2JS {
  try {
    // Alone first: what is wrong is told without the anchors.
    RE2JS.compile(value);
    return RE2JS.compile(`^(?:${value})$`);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const says = error.getDescription();
    const position = positionOf(value, error.getPattern() ?? value);
    throw new AppError(
      "INVALID_INPUT",
      `"${value.slice(0, 100)}" is not a regular expression: ${says}, at character ${position}.`,
      {
        problem: "alerts.pattern",
        params: { pattern: value.slice(0, 100), says, position },
        field: `matchers.${index}.value`,
      },
    );
  }
}

function testOf(matcher: Matcher, index: number): Test {
  const { name, value, isRegex, isEqual } = matcher;
  const pattern = isRegex ? patternOf(matcher, index) : null;
  return (labels) => {
    const said = labels[name] ?? "";
    return (pattern === null ? said === value : pattern.matches(said)) === isEqual;
  };
}

/** Whether labels are reached by all of these. Throws AppError INVALID_INPUT with the position of what does not parse. */
export function reaches(matchers: readonly Matcher[]): Test {
  const tests = matchers.map(testOf);
  return (labels) => tests.every((one) => one(labels));
}

/** Words that no rule has: who accepts all of them accepts anything. */
const madeUp = ["sluice-0f3a", "zzz", "7"];

/**
 * Whether they reach whatever has these labels. Throws AppError INVALID_INPUT when there are none, when all of them take an empty
 * label (Alertmanager refuses these: they would reach every alert), and as `reaches`.
 */
export function isBroad(matchers: readonly Matcher[]): boolean {
  const tests = matchers.map(testOf);
  if (tests.every((one) => one({})))
    throw new AppError("INVALID_INPUT", "One matcher at least must ask for something that is not empty.", {
      problem: matchers.length === 0 ? "alerts.noMatcher" : "alerts.matchesEmpty",
      field: "matchers",
    });
  return madeUp.every((word) => tests.every((one, index) => one({ [matchers[index]?.name ?? ""]: word })));
}

const signs = { "=": [false, true], "=~": [true, true], "!=": [false, false], "!~": [true, false] } as const;
/** As it is written everywhere: alertname="X". */
export function written({ name, value, isRegex, isEqual }: Matcher): string {
  const [sign] = Object.entries(signs).find(([, [r, e]]) => r === isRegex && e === isEqual) ?? ["="];
  return `${name}${sign}${JSON.stringify(value)}`;
}

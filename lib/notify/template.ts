// The body of a webhook, as a Liquid template: values and nothing else; no files, no prototypes, bounded in time and memory.
import { Liquid, LiquidError } from "liquidjs";

const engine = new Liquid({
  ownPropertyOnly: true,
  strictFilters: true,
  // `render` and `include` find nothing: a template is one text.
  templates: {},
  dynamicPartials: false,
  relativeReference: false,
  parseLimit: 20_000,
  renderLimit: 200,
  memoryLimit: 1_000_000,
});

/** Why a template cannot be read, with the place in it; null when it can. */
export function templateProblem(source: string): string | null {
  try {
    engine.parse(source);
    return null;
  } catch (error) {
    if (!(error instanceof Error)) return "is not a Liquid template.";
    const [first = ""] = error.message.split("\n");
    const { token } = error as LiquidError;
    const [line, column] = LiquidError.is(error) && token ? token.getPosition() : [1, 1];
    // The parser adds the place in words of its own.
    return `is not a Liquid template: line ${line}, column ${column}: ${first.replace(/, line:\d+, col:\d+$/, "")}.`;
  }
}

/** The template with its values. Throws what Liquid throws: an unknown filter, or more work than is allowed. */
export const renderTemplate = (source: string, values: object): string =>
  String(engine.parseAndRenderSync(source, values));

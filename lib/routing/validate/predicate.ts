// The expressions of circuitBreaker and of buffering's retries: Go expressions over a few functions, with the types that oxy wants.
import { unquote } from "./go";

class Wrong extends Error {}

/** Of parentheses in each other: nobody writes as many. */
const mostDepth = 100;

type Kind = "condition" | "wholes" | "ratios" | "texts" | "int" | "float" | "string";
type Functions = Readonly<Record<string, { readonly takes: readonly Kind[]; readonly gives: Kind }>>;

const circuitBreaker: Functions = {
  LatencyAtQuantileMS: { takes: ["float"], gives: "wholes" },
  NetworkErrorRatio: { takes: [], gives: "ratios" },
  ResponseCodeRatio: { takes: ["int", "int", "int", "int"], gives: "ratios" },
};
const retry: Functions = {
  RequestMethod: { takes: [], gives: "texts" },
  IsNetworkError: { takes: [], gives: "condition" },
  Attempts: { takes: [], gives: "wholes" },
  ResponseCode: { takes: [], gives: "wholes" },
};
const compared: Readonly<Partial<Record<Kind, Kind>>> = { wholes: "int", ratios: "float", texts: "string" };

const token =
  /[ \t\r]+|(\n)|("(?:\\.|[^"\\\n])*"|`[^`]*`)|(\d+\.\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)|(\d+)(?![\w.])|([\p{L}_][\p{L}\p{Nd}_]*)|(&&|\|\||==|!=|<=|>=|[<>(),])/uy;

class Parser {
  readonly #tokens: { readonly kind: string; readonly text: string }[] = [];
  #at = 0;
  #depth = 0;

  constructor(
    text: string,
    private readonly functions: Functions,
  ) {
    const kinds = ["", "line", "string", "float", "int", "name", "sign"];
    token.lastIndex = 0;
    while (token.lastIndex < text.length) {
      const from = token.lastIndex;
      const found = token.exec(text);
      if (found === null) throw new Wrong(`"${text[from]}" is not expected`);
      const group = found.findIndex((one, index) => index > 0 && one !== undefined);
      if (group < 0) continue;
      const last = this.#tokens.at(-1);
      // Go ends an expression where a line ends behind an operand.
      if (kinds[group] !== "line") this.#tokens.push({ kind: kinds[group] ?? "", text: found[0] });
      else if (last && (last.kind !== "sign" || last.text === ")"))
        this.#tokens.push({ kind: "line", text: "a new line" });
    }
    if (this.#tokens.at(-1)?.kind === "line") this.#tokens.pop();
  }

  whole(): void {
    const kind = this.#binary(0);
    const more = this.#tokens[this.#at];
    if (more !== undefined) throw new Wrong(`"${more.text}" is not expected`);
    if (kind !== "condition") throw new Wrong("it is no condition");
  }

  static readonly #levels = [["||"], ["&&"], ["==", "!=", "<", "<=", ">", ">="]];

  #binary(level: number): Kind {
    const signs = Parser.#levels[level];
    if (signs === undefined) return this.#operand();
    let left = this.#binary(level + 1);
    for (;;) {
      const sign = this.#tokens[this.#at]?.text ?? "";
      if (this.#tokens[this.#at]?.kind !== "sign" || !signs.includes(sign)) return left;
      this.#at += 1;
      const right = this.#binary(level + 1);
      const joins = level < 2;
      const ordered = left !== "texts" || sign === "==" || sign === "!=";
      if (
        joins ? left !== "condition" || right !== "condition" : !ordered || right !== (compared[left] ?? "-")
      )
        throw new Wrong(`the two sides of ${sign} do not fit`);
      left = "condition";
    }
  }

  #deeper(): void {
    this.#depth += 1;
    if (this.#depth > mostDepth) throw new Wrong("it is nested too deeply");
  }

  #take(text: string): void {
    if (this.#tokens[this.#at]?.text !== text) throw new Wrong(`"${text}" is missing`);
    this.#at += 1;
  }

  #operand(): Kind {
    const found = this.#tokens[this.#at];
    this.#at += 1;
    if (found === undefined) throw new Wrong("something is missing at its end");
    if (found.text === "(" && found.kind === "sign") {
      this.#deeper();
      const kind = this.#binary(0);
      this.#take(")");
      this.#depth -= 1;
      return kind;
    }
    if (found.kind === "int" || found.kind === "float") return found.kind;
    if (found.kind === "string" && unquote(found.text) !== null) return "string";
    const known =
      found.kind === "name" && Object.hasOwn(this.functions, found.text)
        ? this.functions[found.text]
        : undefined;
    if (known === undefined) throw new Wrong(`"${found.text}" has no meaning here`);
    this.#take("(");
    this.#deeper();
    const given: Kind[] = [];
    while (this.#tokens[this.#at]?.text !== ")") {
      given.push(this.#operand());
      if (this.#tokens[this.#at]?.text !== ")") this.#take(",");
    }
    this.#at += 1;
    this.#depth -= 1;
    if (given.join() !== known.takes.join()) throw new Wrong(`${found.text} wants other values`);
    return known.gives;
  }
}

function problemOf(text: string, functions: Functions): string | null {
  try {
    new Parser(text, functions).whole();
    return null;
  } catch (error) {
    if (error instanceof Wrong) return error.message;
    throw error;
  }
}

/** Why a circuit breaker's expression is refused; null where it is not. */
export const circuitBreakerProblem = (text: string): string | null => problemOf(text, circuitBreaker);
/** The same of buffering's retryExpression. */
export const retryProblem = (text: string): string | null => problemOf(text, retry);

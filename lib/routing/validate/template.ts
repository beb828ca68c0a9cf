// Files are Go templates (text/template with sprig): the parser's grammar, and the text where every action is a constant.
import { unquote } from "./go";
import type { Tell } from "./problem";

/** A file after its templates. `sourceOf`: where in the file a place of the text stands. */
export type Rendered = { readonly text: string; readonly sourceOf: (at: number) => number };

class TemplateError extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message);
  }
}

type Token = { readonly kind: string; readonly text: string; readonly at: number };
/** A token in a sentence; what is in quotes may be a secret. */
const wordOf = (token: Token | undefined): string =>
  ["string", "raw", "char"].includes(token?.kind ?? "") ? "text in quotes" : `"${token?.text ?? "}}"}"`;
type Part =
  | { readonly is: "text"; readonly start: number; readonly end: number }
  | {
      readonly is: "action";
      readonly tokens: readonly Token[];
      readonly start: number;
      readonly end: number;
    };

/** text/template's own, sprig's (v3.2.3), and those of Traefik's file provider. */
const functions = new Set(
  `and call html index slice js len not or print printf println urlquery eq ge gt le lt ne normalize split
  hello ago date date_in_zone date_modify dateInZone dateModify duration durationRound htmlDate htmlDateInZone must_date_modify
  mustDateModify mustToDate now toDate unixEpoch abbrev abbrevboth trunc trim upper lower title untitle substr repeat trimall trimAll
  trimSuffix trimPrefix nospace initials randAlphaNum randAlpha randAscii randNumeric swapcase shuffle snakecase camelcase kebabcase
  wrap wrapWith contains hasPrefix hasSuffix quote squote cat indent nindent replace plural sha1sum sha256sum adler32sum toString atoi
  int64 int float64 seq toDecimal splitList splitn toStrings until untilStep add1 add sub div mod mul randInt add1f addf subf divf mulf
  biggest max min maxf minf ceil floor round join sortAlpha default empty coalesce all any compact mustCompact fromJson toJson
  toPrettyJson toRawJson mustFromJson mustToJson mustToPrettyJson mustToRawJson ternary deepCopy mustDeepCopy typeOf typeIs typeIsLike
  kindOf kindIs deepEqual env expandenv getHostByName base dir clean ext isAbs osBase osClean osDir osExt osIsAbs b64enc b64dec b32enc
  b32dec tuple list dict get set unset hasKey pluck keys pick omit merge mergeOverwrite mustMerge mustMergeOverwrite values append
  mustAppend push mustPush prepend mustPrepend first mustFirst rest mustRest last mustLast initial mustInitial reverse mustReverse uniq
  mustUniq without mustWithout has mustHas mustSlice concat dig chunk mustChunk bcrypt htpasswd genPrivateKey derivePassword
  buildCustomCert genCA genCAWithKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey encryptAES
  decryptAES randBytes uuidv4 semver semverCompare fail regexMatch mustRegexMatch regexFindAll mustRegexFindAll regexFind
  mustRegexFind regexReplaceAll mustRegexReplaceAll regexReplaceAllLiteral mustRegexReplaceAllLiteral regexSplit mustRegexSplit
  regexQuoteMeta urlParse urlJoin`.split(/\s+/),
);

/** Of parentheses in each other: nobody writes as many. */
const mostDepth = 100;

const keywords = ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"];
const blanks = " \t\r\n";
const isBlank = (char: string | undefined): boolean =>
  char !== undefined && char !== "" && blanks.includes(char);

/** The lexer: texts, trimmed where a `-` says so, and actions. Comments vanish. */
function partsOf(source: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  let trim = false;
  for (;;) {
    const open = source.indexOf("{{", at);
    let end = open < 0 ? source.length : open;
    let start = at;
    if (trim) while (start < end && isBlank(source[start])) start += 1;
    const left = open >= 0 && source[open + 2] === "-" && isBlank(source[open + 3]);
    if (left) while (end > start && isBlank(source[end - 1])) end -= 1;
    if (end > start) parts.push({ is: "text", start, end });
    if (open < 0) return parts;
    const inside = open + (left ? 4 : 2);
    if (source.startsWith("/*", inside)) {
      const close = source.indexOf("*/", inside);
      if (close < 0) throw new TemplateError("unclosed comment", open);
      const right = /^(?:[ \t\r\n]-)?\}\}/.exec(source.slice(close + 2));
      if (right === null) throw new TemplateError("comment ends before closing delimiter", open);
      trim = right[0].length > 2;
      at = close + 2 + right[0].length;
    } else {
      const action = actionAt(source, inside, open);
      parts.push({ is: "action", tokens: action.tokens, start: open, end: action.end });
      trim = action.trim;
      at = action.end;
    }
  }
}

const patterns: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ["blank", /[ \t\r\n]+/y],
  ["string", /"(?:\\[^\n]|[^"\\\n])*"/y],
  ["raw", /`[^`]*`/y],
  ["char", /'(?:\\[^\n]|[^'\\\n])*'/y],
  [":=", /:=/y],
  ["=", /=/y],
  ["|", /\|/y],
  ["(", /\(/y],
  [")", /\)/y],
  [",", /,/y],
  ["variable", /\$[\p{L}\p{Nd}_]*/uy],
  [
    "number",
    /[+-]?(?:0[xX][0-9a-fA-F_.]+(?:[pP][+-]?\d+)?|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)i?/y,
  ],
  ["field", /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ["dot", /\./y],
  ["name", /[\p{L}_][\p{L}\p{Nd}_]*/uy],
];

function actionAt(
  source: string,
  from: number,
  open: number,
): { tokens: Token[]; end: number; trim: boolean } {
  const tokens: Token[] = [];
  let at = from;
  let depth = 0;
  for (;;) {
    const trim = isBlank(source[at]) && source.startsWith("-}}", at + 1);
    if (trim || source.startsWith("}}", at)) {
      if (depth > 0) throw new TemplateError("unclosed left paren", at);
      return { tokens, end: at + (trim ? 4 : 2), trim };
    }
    if (at >= source.length) throw new TemplateError("unclosed action", open);
    let token: Token | null = null;
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at;
      const text = pattern.exec(source)?.[0];
      if (text === undefined) continue;
      // A blank before "-}}" belongs to the closing delimiter.
      const cut = kind === "blank" && source.startsWith("-}}", at + text.length) ? text.slice(0, -1) : text;
      if (cut === "") break;
      token = { kind, text: cut, at };
      break;
    }
    if (token === null) {
      if ("\"'`".includes(source[at] ?? "")) throw new TemplateError("unterminated quoted string", at);
      throw new TemplateError(`unexpected "${source[at]}" in action`, at);
    }
    if (token.kind === "(") depth += 1;
    if (token.kind === ")") depth -= 1;
    if (depth > mostDepth) throw new TemplateError("parentheses are nested too deeply", at);
    if (depth < 0) throw new TemplateError("unexpected right paren", at);
    const isTerm = ["name", "field", "variable", "number", "dot", "string", "raw", "char"].includes(
      token.kind,
    );
    const last = tokens.at(-1);
    if (isTerm && last !== undefined && !["blank", "(", "|", ",", "=", ":="].includes(last.kind)) {
      const chained = token.kind === "field" && ["field", "variable", ")", "name"].includes(last.kind);
      if (!chained) throw new TemplateError(`unexpected ${wordOf(token)} in action`, at);
    }
    tokens.push(token);
    at += token.text.length;
  }
}

/** The parser, which knows names and blocks. Throws TemplateError. */
class Parser {
  /** Blocks that are open, with how many variables there were before. */
  readonly #blocks: { readonly word: string; readonly variables: number; sawElse: boolean }[] = [];
  #variables = ["$"];

  action(part: Extract<Part, { is: "action" }>): void {
    const tokens = part.tokens.filter(({ kind }) => kind !== "blank");
    const [first] = tokens;
    if (first === undefined) throw new TemplateError("missing value for command", part.start);
    if (first.kind === "name" && keywords.includes(first.text)) this.#keyword(first, tokens.slice(1));
    else this.#pipeline(tokens, "command", first.at);
  }

  end(length: number): void {
    if (this.#blocks.length > 0) throw new TemplateError("unexpected EOF", length);
  }

  /** Whether what stands here is executed whatever else is. */
  get top(): boolean {
    return this.#blocks.length === 0;
  }

  #open(word: string): void {
    this.#blocks.push({ word, variables: this.#variables.length, sawElse: false });
  }

  #keyword({ text: word, at }: Token, rest: readonly Token[]): void {
    const block = this.#blocks.at(-1);
    const nothing = () => {
      if (rest.length > 0)
        throw new TemplateError(`unexpected ${wordOf(rest[0])} in ${word}`, rest[0]?.at ?? at);
    };
    if (word === "if" || word === "with" || word === "range") {
      this.#open(word);
      this.#pipeline(rest, word, at);
    } else if (word === "else") {
      if (block === undefined || !["if", "with", "range"].includes(block.word) || block.sawElse)
        throw new TemplateError("unexpected {{else}}", at);
      this.#variables.length = block.variables;
      const [next, ...more] = rest;
      if (next === undefined) block.sawElse = true;
      else if (next.text === block.word && next.text !== "range") this.#pipeline(more, next.text, next.at);
      else throw new TemplateError(`unexpected ${wordOf(next)} in else`, next.at);
    } else if (word === "end") {
      nothing();
      if (block === undefined) throw new TemplateError("unexpected {{end}}", at);
      this.#blocks.pop();
      this.#variables.length = block.variables;
    } else if (word === "break" || word === "continue") {
      nothing();
      if (!this.#blocks.some((one) => one.word === "range"))
        throw new TemplateError(`{{${word}}} outside {{range}}`, at);
    } else {
      const [name, ...more] = rest;
      if (name === undefined || (name.kind !== "string" && name.kind !== "raw"))
        throw new TemplateError(`unexpected ${wordOf(name)} in ${word} clause`, at);
      if (word === "define" && !this.top) throw new TemplateError("unexpected {{define}}", at);
      if (word !== "template") this.#open(word);
      if (word === "define") {
        if (more.length > 0) throw new TemplateError(`unexpected ${wordOf(more[0])} in define clause`, at);
        this.#variables = ["$"];
      } else if (more.length > 0 || word === "block") this.#pipeline(more, word, at);
    }
  }

  #pipeline(tokens: readonly Token[], context: string, at: number): void {
    let rest = [...tokens];
    const [first, second, third, fourth] = rest;
    if (first?.kind === "variable" && (second?.kind === ":=" || second?.kind === "=")) {
      if (second.kind === ":=") this.#variables.push(first.text);
      else this.#known(first);
      rest = rest.slice(2);
    } else if (
      context === "range" &&
      first?.kind === "variable" &&
      second?.kind === "," &&
      third?.kind === "variable"
    ) {
      if (fourth?.kind !== ":=" && fourth?.kind !== "=")
        throw new TemplateError("range can only initialize variables", at);
      this.#variables.push(first.text, third.text);
      rest = rest.slice(4);
    }
    let command: Token[] = [];
    let stage = 0;
    let depth = 0;
    const close = () => {
      if (command.length === 0) throw new TemplateError(`missing value for ${context}`, at);
      this.#command(command, stage);
      command = [];
      stage += 1;
    };
    for (const token of rest) {
      if (token.kind === "(") depth += 1;
      if (token.kind === ")") depth -= 1;
      if (token.kind === "|" && depth === 0) close();
      else command.push(token);
    }
    close();
  }

  #known({ text, at }: Token): void {
    if (!this.#variables.includes(text)) throw new TemplateError(`undefined variable "${text}"`, at);
  }

  #command(tokens: readonly Token[], stage: number): void {
    const [first] = tokens;
    const literal = first !== undefined && ["number", "string", "raw", "char", "dot"].includes(first.kind);
    if (stage > 0 && (literal || ["true", "false", "nil"].includes(first?.text ?? "")))
      throw new TemplateError(`non executable command in pipeline stage ${stage + 1}`, first?.at ?? 0);
    for (let index = 0; index < tokens.length; index += 1) {
      const token = tokens[index] as Token;
      if (token.kind === "(") {
        let depth = 1;
        let end = index + 1;
        for (; end < tokens.length && depth > 0; end += 1)
          depth += tokens[end]?.kind === "(" ? 1 : tokens[end]?.kind === ")" ? -1 : 0;
        this.#pipeline(tokens.slice(index + 1, end - 1), "parenthesized pipeline", token.at);
        index = end - 1;
      } else if (token.kind === "variable") this.#known(token);
      else if (token.kind === "name") {
        if (keywords.includes(token.text))
          throw new TemplateError(`unexpected <${token.text}> in operand`, token.at);
        if (!["true", "false", "nil"].includes(token.text) && !functions.has(token.text))
          throw new TemplateError(`function "${token.text}" not defined`, token.at);
      } else if (["string", "raw", "char"].includes(token.kind)) {
        if (unquote(token.text) === null) throw new TemplateError("invalid syntax in a string", token.at);
      } else if (!["field", "dot", "number"].includes(token.kind))
        throw new TemplateError(`unexpected ${wordOf(token)} in operand`, token.at);
    }
  }
}

/**
 * The text that Traefik would read as YAML. Null, and told why: where the template is broken or must fail, which rejects the directory,
 * and where it depends on what only Traefik knows.
 */
export function rendered(file: string, source: string, tell: Tell): Rendered | null {
  if (!source.includes("{{")) return { text: source, sourceOf: (at) => at };
  let text = "";
  const marks: { readonly at: number; readonly source: number }[] = [];
  let unknown: { readonly start: number; readonly end: number } | null = null;
  let failing: { readonly start: number; readonly end: number } | null = null;
  try {
    const parser = new Parser();
    for (const part of partsOf(source)) {
      marks.push({ at: text.length, source: part.start });
      if (part.is === "text") {
        text += source.slice(part.start, part.end);
        continue;
      }
      parser.action(part);
      const said = part.tokens.filter(({ kind }) => kind !== "blank");
      const [only] = said;
      const constant = said.length === 1 && only ? unquote(only.text) : null;
      // The templates' data is the boolean false, which has no fields.
      if (parser.top && said.some(({ kind }, index) => kind === "field" && said[index - 1]?.kind !== ")"))
        failing ??= part;
      if (constant === null || only?.kind === "char") unknown ??= part;
      else text += constant;
    }
    parser.end(source.length);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const start = Math.min(error.at, source.length);
    tell({ file, start, end: Math.min(start + 2, source.length) }, "rejected", "templateBroken", {
      reason: error.message,
    });
    return null;
  }
  if (failing !== null) tell({ file, ...failing }, "rejected", "templateFails");
  else if (unknown !== null)
    tell({ file, start: unknown.start, end: unknown.end }, "none", "templateNotChecked");
  if (failing !== null || unknown !== null) return null;
  const sourceOf = (at: number): number => {
    // The last one that is not behind it: they stand in order.
    let [low, high] = [0, marks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((marks[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    const mark = marks[low - 1] ?? { at: 0, source: 0 };
    return mark.source + at - mark.at;
  };
  return { text, sourceOf };
}

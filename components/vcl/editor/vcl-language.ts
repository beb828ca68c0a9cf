// VCL for CodeMirror: how a line is cut into words, and how far it is indented.
import { StreamLanguage, type StreamParser, StringStream } from "@codemirror/language";

type State = {
  /** What a line begins inside of: a comment, a long string, or C code. */
  within: "comment" | "braces" | "quotes" | "c" | null;
  braces: number;
  parens: number;
  /** The last word or mark that was no comment. */
  last: string;
  /** The one before. */
  before: string;
};

const keywords = new Set(
  "vcl import include sub acl backend probe set unset call if else elseif elsif elif return new from as none".split(
    " ",
  ),
);
const declaring = new Set(["sub", "acl", "backend", "probe", "new"]);
const builtIn = new Set(["regsub", "regsuball", "hash_data", "synthetic", "ban"]);
const variable =
  /^(?:(?:req|req_top|bereq|beresp|obj|resp|client|server|local|remote|storage|sess)\.|(?:now|req|bereq|beresp|resp)$)/;

/** Where what a line began inside of ends. */
const ends = { comment: "*/", braces: '"}', quotes: '"""', c: "}C" } as const;
const insideStyle = { comment: "comment", braces: "string", quotes: "string", c: "meta" } as const;

function inside(stream: StringStream, state: State): string | null {
  const within = state.within;
  if (within === null) return null;
  const end = ends[within];
  if (stream.skipTo(end)) {
    stream.match(end);
    state.within = null;
    if (within === "braces" || within === "quotes") follow(state, '"');
  } else stream.skipToEnd();
  return insideStyle[within];
}

function follow(state: State, word: string) {
  state.before = state.last;
  state.last = word;
}

function wordStyle(word: string, stream: StringStream, state: State): string {
  const { last, before } = state;
  // In one's own words: a subroutine may be called like a keyword of another place.
  if (last === "(" && before === "return") return "atom";
  if (declaring.has(last) || last === "call")
    return last === "sub" || last === "call" ? "labelName" : "variableName.definition";
  if (last === "import") return "namespace";
  if (keywords.has(word)) return "keyword";
  if (word === "true" || word === "false") return "bool";
  if (builtIn.has(word)) return "variableName.standard";
  if (variable.test(word)) return "variableName.special";
  return stream.match(/^\s*\(/, false) ? "variableName.function" : "variableName";
}

const startState = (): State => ({ within: null, braces: 0, parens: 0, last: "", before: "" });

/** How VCL is cut; each token's style is a tag of the highlighter. */
export const vclParser: StreamParser<State> = {
  name: "vcl",
  startState,
  copyState: (state) => ({ ...state }),
  token(stream, state) {
    if (state.within !== null) return inside(stream, state);
    if (stream.eatSpace()) return null;
    if (stream.match(/^(?:#|\/\/)/)) {
      stream.skipToEnd();
      return "comment";
    }
    if (stream.match("/*")) state.within = "comment";
    else if (stream.match('{"')) state.within = "braces";
    else if (stream.match('"""')) state.within = "quotes";
    else if (stream.match("C{")) state.within = "c";
    if (state.within !== null) return inside(stream, state);
    if (stream.match(/^"[^"]*"?/)) {
      const regex = state.last === "~" || state.last === "!~";
      follow(state, '"');
      return regex ? "regexp" : "string";
    }
    if (stream.match(/^\d+(?:\.\d+)?(?:ms|[smhdwy]|[KMGT]?B)?(?![\w])/)) {
      follow(state, "0");
      return "number";
    }
    const field = stream.match(/^\.[a-z_]+/);
    if (field) {
      follow(state, ".");
      return "propertyName";
    }
    const word = stream.match(/^[A-Za-z][\w.-]*/);
    if (word && word !== true) {
      const style = wordStyle(word[0], stream, state);
      follow(state, word[0]);
      return style;
    }
    const mark = stream.match(/^(?:[-+*/!=<>]=|!~|&&|\|\||\+\+|--|[-+*/%=<>!~])/);
    if (mark && mark !== true) {
      follow(state, mark[0]);
      return "operator";
    }
    const single = stream.next() ?? "";
    if (single === "{") state.braces += 1;
    if (single === "}") state.braces = Math.max(0, state.braces - 1);
    if (single === "(") state.parens += 1;
    if (single === ")") state.parens = Math.max(0, state.parens - 1);
    // A forgotten bracket does not move the rest of the file.
    if (single === "{" || single === "}" || single === ";") state.parens = 0;
    follow(state, single);
    return /[{}()]/.test(single) ? "bracket" : "punctuation";
  },
  indent(state, after, context) {
    if (state.within !== null) return null;
    const deep = state.braces + state.parens - (/^\s*[})]/.test(after) ? 1 : 0);
    return Math.max(0, deep) * context.unit;
  },
  languageData: {
    commentTokens: { line: "#", block: { open: "/*", close: "*/" } },
    closeBrackets: { brackets: ["(", "{", '"'] },
    indentOnInput: /^\s*[})]$/,
    wordChars: "-.",
  },
};

export const vclLanguage = StreamLanguage.define(vclParser);

/** A token of a text: its style as the highlighter has it, its text, and the index at which it begins. Long ones come line by line. */
export type VclToken = { readonly style: string; readonly text: string; readonly from: number };

/** All tokens of a text, in order, but for white space; and what its end is inside of. */
export function vclTokens(text: string): {
  readonly tokens: readonly VclToken[];
  readonly open: State["within"];
} {
  const tokens: VclToken[] = [];
  const state = startState();
  let start = 0;
  for (const line of text.split("\n")) {
    const stream = new StringStream(line, 4, 4);
    while (!stream.eol()) {
      stream.start = stream.pos;
      const style = vclParser.token(stream, state);
      if (style !== null) tokens.push({ style, text: stream.current(), from: start + stream.start });
    }
    start += line.length + 1;
  }
  return { tokens, open: state.within };
}

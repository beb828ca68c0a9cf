// How CodeMirror looks here, whatever it shows. All colours are CSS variables, so that light and dark change without drawing anew.
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

// Each at least 4.5:1 on the pane, on the active line and on what is selected.
const colours = {
  "--editor-comment": "light-dark(oklch(0.45 0.02 240), oklch(0.77 0.015 235))",
  "--editor-keyword": "light-dark(oklch(0.44 0.16 300), oklch(0.82 0.09 300))",
  "--editor-string": "light-dark(oklch(0.42 0.09 150), oklch(0.84 0.1 150))",
  "--editor-regexp": "light-dark(oklch(0.44 0.1 55), oklch(0.84 0.09 65))",
  "--editor-number": "light-dark(oklch(0.44 0.14 262), oklch(0.82 0.08 262))",
  "--editor-variable": "light-dark(oklch(0.42 0.09 225), oklch(0.84 0.08 220))",
  "--editor-function": "light-dark(oklch(0.44 0.13 340), oklch(0.84 0.08 340))",
};

const colour = (name: keyof typeof colours) => ({ color: `var(${name})` });

const highlight = HighlightStyle.define([
  { tag: tags.comment, ...colour("--editor-comment"), fontStyle: "italic" },
  { tag: tags.keyword, ...colour("--editor-keyword"), fontWeight: "600" },
  { tag: [tags.atom, tags.bool], ...colour("--editor-keyword") },
  { tag: tags.string, ...colour("--editor-string") },
  { tag: tags.regexp, ...colour("--editor-regexp") },
  { tag: tags.number, ...colour("--editor-number") },
  { tag: [tags.special(tags.variableName), tags.propertyName], ...colour("--editor-variable") },
  {
    tag: [tags.function(tags.variableName), tags.standard(tags.variableName)],
    ...colour("--editor-function"),
  },
  {
    tag: [tags.labelName, tags.definition(tags.variableName), tags.namespace],
    color: "var(--ink)",
    fontWeight: "600",
  },
  { tag: tags.meta, ...colour("--editor-regexp") },
]);

const tooltip = {
  border: "1px solid var(--line)",
  borderRadius: "6px",
  backgroundColor: "var(--pane)",
  color: "var(--ink)",
};

const theme = EditorView.theme({
  "&": { ...colours, backgroundColor: "var(--pane)", color: "var(--ink)", fontSize: "var(--editor-size)" },
  // A frame around it shows the focus.
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--pane)", color: "var(--faint)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": {
    backgroundColor: "color-mix(in oklch, var(--wash) 55%, transparent)",
  },
  ".cm-activeLineGutter": { color: "var(--ink)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    backgroundColor: "var(--water2)",
  },
  ".cm-content ::selection": { backgroundColor: "var(--water2)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--wash)", outline: "1px solid var(--edge)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", outline: "1px solid var(--down)" },
  ".cm-selectionMatch": { backgroundColor: "var(--wash)" },
  ".cm-searchMatch": { backgroundColor: "var(--wash)", outline: "1px solid var(--edge)" },
  ".cm-searchMatch.cm-searchMatch-selected": {
    backgroundColor: "var(--water2)",
    outline: "1px solid var(--deep)",
  },
  ".cm-specialChar": { color: "var(--down-ink)" },

  ".cm-panels": {
    backgroundColor: "var(--bg)",
    color: "var(--ink)",
    fontFamily: "var(--font-sans)",
    zIndex: "10",
  },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "8px calc(var(--editor-close) + 8px) 8px 10px", fontSize: "13.5px" },
  ".cm-panel.cm-search label": {
    fontSize: "13.5px",
    display: "inline-flex",
    alignItems: "center",
    gap: "4px",
    minHeight: "var(--editor-target)",
  },
  ".cm-textfield": {
    border: "1px solid var(--edge)",
    borderRadius: "6px",
    backgroundColor: "var(--pane)",
    color: "var(--ink)",
    padding: "4px 8px",
    minHeight: "var(--editor-target)",
    fontSize: "var(--editor-field)",
  },
  ".cm-button": {
    border: "1px solid var(--line)",
    borderRadius: "6px",
    background: "var(--pane)",
    color: "var(--ink)",
    padding: "4px 10px",
    minHeight: "var(--editor-target)",
    minWidth: "var(--editor-target)",
    fontSize: "13.5px",
    "&:active": { background: "var(--wash)" },
  },
  ".cm-panel.cm-search [name=close]": {
    color: "var(--mute)",
    fontSize: "18px",
    width: "var(--editor-close)",
    height: "var(--editor-close)",
    top: "6px",
    right: "6px",
  },

  ".cm-tooltip": tooltip,
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--font-mono)",
    fontSize: "12.5px",
    maxHeight: "16em",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "4px 8px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    background: "var(--wash)",
    color: "var(--ink)",
  },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { color: "var(--mute)", fontStyle: "normal", marginLeft: "1em" },
  ".cm-completionInfo": {
    ...tooltip,
    fontFamily: "var(--font-sans)",
    padding: "8px 10px",
    maxWidth: "22rem",
  },
  ".cm-tooltip-hover": { fontFamily: "var(--font-sans)", fontSize: "13.5px", maxWidth: "min(34rem, 90vw)" },
  ".editor-help": { padding: "8px 10px" },
  ".editor-help code": { display: "block", fontWeight: "600", overflowWrap: "anywhere" },
  ".editor-help p + p": { color: "var(--mute)", fontSize: "12px" },

  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--down) 1px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn) 1px" },
  ".cm-lintRange": { textUnderlineOffset: "3px", textDecorationSkipInk: "none" },
  ".cm-lintPoint:after": { bottom: "-2px" },
  ".cm-lintPoint-error:after": { borderBottomColor: "var(--down)" },
  ".cm-lintPoint-warning:after": { borderBottomColor: "var(--warn)" },
  ".cm-diagnostic": { padding: "6px 10px", marginLeft: "0", whiteSpace: "pre-wrap", border: "0" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--down)" },
  ".cm-diagnostic-warning": { borderLeft: "3px solid var(--warn)" },
  // The same shapes as everywhere: an octagon, a triangle.
  ".cm-lint-marker": { width: "0.8em", height: "0.8em", margin: "0.35em 0 0" },
  ".cm-lint-marker-error": {
    content: '""',
    backgroundColor: "var(--down)",
    clipPath: "polygon(30% 0, 70% 0, 100% 30%, 100% 70%, 70% 100%, 30% 100%, 0 70%, 0 30%)",
  },
  ".cm-lint-marker-warning": {
    content: '""',
    backgroundColor: "var(--warn)",
    clipPath: "polygon(50% 0, 100% 100%, 0 100%)",
  },
});

/** Colours, fonts and words of the language, for every CodeMirror here. */
export const look: Extension = [theme, syntaxHighlighting(highlight)];

/** CodeMirror's own words, by their keys under messages `editor.phrases`. */
const phrases = {
  find: "Find",
  replace: "Replace",
  next: "next",
  previous: "previous",
  all: "all",
  matchCase: "match case",
  regexp: "regexp",
  byWord: "by word",
  replaceOne: "replace",
  replaceAll: "replace all",
  close: "close",
  currentMatch: "current match",
  onLine: "on line",
  replacedOnLine: "replaced match on line $",
  replacedMatches: "replaced $ matches",
  goToLine: "Go to line",
  go: "go",
  completions: "Completions",
  unchanged: "$ unchanged lines",
  selectionDeleted: "Selection deleted",
  controlCharacter: "Control character",
} as const;

/** CodeMirror's own words in the reader's language. `say` gives the message under `editor.phrases`. */
export function phrasesOf(say: (key: keyof typeof phrases) => string): Extension {
  const keys = Object.keys(phrases) as (keyof typeof phrases)[];
  return EditorState.phrases.of(Object.fromEntries(keys.map((key) => [phrases[key], say(key)])));
}

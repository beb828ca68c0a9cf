// The files on the desk: one CodeMirror, and for each file that is not shown the state it was left in.
import {
  autocompletion,
  type Completion,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  insertCompletionText,
  startCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentUnit } from "@codemirror/language";
import { type Diagnostic, lintGutter, nextDiagnostic, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, type StateEffect, Text } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  hoverTooltip,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import type { VclFile } from "@/lib/vcl/contract";
import { look } from "./look";
import { choicesAt } from "./vcl-complete";
import { type Meaning, meaningAt } from "./vcl-hover";
import { vclLanguage } from "./vcl-language";

/** A problem as the desk marks it: lines and columns from 1. */
export type Mark = {
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly message: string;
};
export type DeskSettings = {
  readonly label: string;
  /** Id of the element that tells which keys there are. */
  readonly describedBy: string;
  readonly readOnly: boolean;
  readonly wraps: boolean;
  /** Always the same one for a language: another one makes CodeMirror draw all anew, and forget where to scroll. */
  readonly phrases: Extension;
  /** What a word means, one line each. */
  tell(meaning: Meaning): readonly string[];
};
type Kept = { readonly state: EditorState; readonly scroll: StateEffect<unknown> | null };

const textOf = (file: VclFile) => Text.of(file.text.split(/\r\n?|\n/));

function offsetOf(doc: Text, line: number, column: number): number {
  const at = doc.line(Math.min(Math.max(1, line), doc.lines));
  return Math.min(at.from + Math.max(0, column - 1), at.to);
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Puts a choice in: a bracket is closed at once, and after a dot the next choice is offered. */
const put = (insert: string) => (view: EditorView, _: Completion, from: number, to: number) => {
  const opens = insert.endsWith("(") && view.state.sliceDoc(to, to + 1) !== "(";
  view.dispatch({
    ...insertCompletionText(view.state, opens ? `${insert})` : insert, from, to),
    selection: { anchor: from + insert.length },
  });
  if (insert.endsWith(".")) startCompletion(view);
};

export class Desk {
  private readonly view: EditorView;
  private readonly others = new Map<string, Kept>();
  private readonly changing = new Compartment();
  private marks: readonly Mark[] = [];

  constructor(
    parent: HTMLElement,
    private files: readonly VclFile[],
    private active: string,
    private settings: DeskSettings,
    private readonly onChange: (files: VclFile[]) => void,
  ) {
    this.view = new EditorView({ parent, state: this.stateOf(active) });
  }

  destroy() {
    this.view.destroy();
  }

  /**
   * Takes the files as they are now outside, and shows one of them. One with the same text keeps its history, cursor and
   * scroll; one that is new or different begins anew.
   */
  take(files: readonly VclFile[], shown: string) {
    if (files === this.files && shown === this.active) return;
    this.files = files;
    if (shown !== this.active) {
      this.others.set(this.active, { state: this.view.state, scroll: this.view.scrollSnapshot() });
      this.active = shown;
      const kept = this.others.get(shown);
      this.view.setState(kept?.state ?? this.stateOf(shown));
      if (kept?.scroll) this.view.dispatch({ effects: kept.scroll });
    }
    this.others.delete(shown);
    for (const [name, { state }] of this.others) if (!this.holds(name, state)) this.others.delete(name);
    if (!this.holds(shown, this.view.state)) this.view.setState(this.stateOf(shown));
  }

  /** A file has a new name and keeps its history. Called before the files are taken that have it. */
  renamed(from: string, to: string) {
    if (from === this.active) this.active = to;
    const kept = this.others.get(from);
    if (!kept) return;
    this.others.delete(from);
    this.others.set(to, kept);
  }

  /** Marks problems at their places, in all files. */
  mark(marks: readonly Mark[]) {
    this.marks = marks;
    this.view.dispatch(setDiagnostics(this.view.state, this.diagnosticsOf(this.active, this.view.state)));
    for (const [name, { state, scroll }] of this.others) {
      const marked = state.update(setDiagnostics(state, this.diagnosticsOf(name, state))).state;
      this.others.set(name, { state: marked, scroll });
    }
  }

  /** Label, language and whether it can be written in: all files at once. */
  set(settings: DeskSettings) {
    this.settings = settings;
    const change = () => ({ effects: this.changing.reconfigure(this.changingParts()) });
    this.view.dispatch(change());
    for (const [name, { state, scroll }] of this.others)
      this.others.set(name, { state: state.update(change()).state, scroll });
  }

  /** Puts the cursor at a place of the file that is shown, and the focus with it. */
  go(line: number, column: number) {
    const anchor = offsetOf(this.view.state.doc, line, column);
    this.view.dispatch({
      selection: { anchor },
      effects: EditorView.scrollIntoView(anchor, { y: "center" }),
    });
    this.view.focus();
  }

  private holds(name: string, state: EditorState): boolean {
    const file = this.files.find((one) => one.name === name);
    return file !== undefined && textOf(file).eq(state.doc);
  }

  private stateOf(name: string): EditorState {
    const file = this.files.find((one) => one.name === name);
    const state = EditorState.create({
      doc: file ? textOf(file) : Text.empty,
      extensions: [this.parts(), this.changing.of(this.changingParts())],
    });
    return state.update(setDiagnostics(state, this.diagnosticsOf(name, state))).state;
  }

  private diagnosticsOf(name: string, { doc }: EditorState): Diagnostic[] {
    return this.marks
      .filter(({ file }) => file === name)
      .map(({ severity, line, column, endLine, endColumn, message }) => {
        const from = offsetOf(doc, line, column);
        return { severity, message, from, to: Math.max(from, offsetOf(doc, endLine, endColumn)) };
      });
  }

  private changingParts(): Extension {
    const { label, describedBy, readOnly, wraps, phrases } = this.settings;
    return [
      phrases,
      wraps ? EditorView.lineWrapping : [],
      EditorState.readOnly.of(readOnly),
      EditorView.contentAttributes.of({
        "aria-label": label,
        "aria-describedby": describedBy,
        tabindex: "0",
        ...(readOnly ? { inputmode: "none" } : {}),
      }),
    ];
  }

  private parts(): Extension {
    return [
      look,
      vclLanguage,
      indentUnit.of("    "),
      lineNumbers(),
      lintGutter(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSpecialChars(),
      highlightSelectionMatches(),
      drawSelection(),
      history(),
      indentOnInput(),
      bracketMatching(),
      closeBrackets(),
      search({ top: true }),
      autocompletion({ override: [({ pos, explicit }) => this.complete(pos, explicit)], icons: false }),
      hoverTooltip((_, pos) => this.hover(pos)),
      keymap.of([
        ...closeBracketsKeymap,
        ...completionKeymap,
        ...searchKeymap,
        ...historyKeymap,
        ...defaultKeymap,
        { key: "F8", run: nextDiagnostic },
        indentWithTab,
      ]),
      EditorView.updateListener.of(({ docChanged, state }) => {
        if (docChanged) this.written(state.doc.toString());
      }),
    ];
  }

  private written(text: string) {
    const files = this.files.map((file) => (file.name === this.active ? { name: file.name, text } : file));
    this.files = files;
    this.onChange(files);
  }

  private get text(): string {
    return this.view.state.doc.toString();
  }

  private complete(pos: number, explicit: boolean): CompletionResult | null {
    const text = this.text;
    const found = choicesAt(text, pos, this.files);
    if (!found) return null;
    if (!explicit && found.from === pos && !/\breturn\s*\($/.test(text.slice(0, pos))) return null;
    return {
      from: found.from,
      validFor: new RegExp(`^${found.scope === "" ? "\\.?" : escaped(found.scope)}[\\w-]*$`),
      options: found.choices.map(({ label, insert, type, detail, help }) => ({
        label,
        type,
        detail,
        apply: put(insert),
        ...(help === "" ? {} : { info: help }),
      })),
    };
  }

  private hover(pos: number) {
    const meaning = meaningAt(this.text, pos, this.files);
    if (!meaning) return null;
    return {
      pos: meaning.from,
      end: meaning.to,
      above: true,
      create: () => {
        const dom = document.createElement("div");
        dom.className = "vcl-meaning";
        const title = document.createElement("code");
        title.textContent = meaning.title;
        dom.append(title);
        for (const line of this.settings.tell(meaning)) {
          const part = document.createElement("p");
          part.textContent = line;
          dom.append(part);
        }
        return { dom };
      },
    };
  }
}

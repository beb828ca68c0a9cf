// The files on the desk: one CodeMirror, and for each file that is not shown the state it was left in.
import {
  autocompletion,
  type CompletionResult,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import {
  type Diagnostic,
  forEachDiagnostic,
  lintGutter,
  nextDiagnostic,
  setDiagnostics,
} from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, StateEffect, StateField, Text } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  hoverTooltip,
  keymap,
  lineNumbers,
  showTooltip,
  type Tooltip,
} from "@codemirror/view";
import { look } from "./look";

/** A file that is edited. */
export type TextFile = { name: string; text: string };
/** A problem as the desk marks it: lines and columns from 1. */
export type Mark = {
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly message: string;
  /** Said after the message: where else it is so. */
  readonly note: string | null;
};
/** What is asked of a language about a place, in UTF-16 units from the start of the file that is shown. */
export type Asked = {
  readonly text: string;
  readonly pos: number;
  readonly files: readonly TextFile[];
  /** Somebody pressed the key for it. */
  readonly explicit: boolean;
};
/** What is told of a word, which stands from `from` to `to`. */
export type Explained = {
  readonly from: number;
  readonly to: number;
  readonly title: string;
  readonly lines: readonly string[];
};
export type DeskSettings = {
  readonly label: string;
  /** Id of the element that tells which keys there are. */
  readonly describedBy: string;
  readonly readOnly: boolean;
  readonly wraps: boolean;
  /** Always the same one for a language: another one makes CodeMirror draw all anew, and forget where to scroll. */
  readonly phrases: Extension;
  complete(asked: Asked): CompletionResult | null;
  /** What the word at a place means; null where nothing is known of it. */
  explain(asked: Asked): Explained | null;
};
type Kept = { readonly state: EditorState; readonly scroll: StateEffect<unknown> | null };

const textOf = (file: TextFile) => Text.of(file.text.split(/\r\n?|\n/));

function offsetOf(doc: Text, line: number, column: number): number {
  const at = doc.line(Math.min(Math.max(1, line), doc.lines));
  return Math.min(at.from + Math.max(0, column - 1), at.to);
}

/** The help at the cursor, until the cursor or the text moves on. */
const setHelp = StateEffect.define<Tooltip | null>();
const help = StateField.define<Tooltip | null>({
  create: () => null,
  update(shown, { effects, docChanged, selection }) {
    for (const effect of effects) if (effect.is(setHelp)) return effect.value;
    return docChanged || selection ? null : shown;
  },
  provide: (field) => showTooltip.from(field),
});

/** Closes the help at the cursor, if it is open. */
function closeHelp(view: EditorView): boolean {
  if (view.state.field(help) === null) return false;
  view.dispatch({ effects: setHelp.of(null) });
  return true;
}

function helpBox({ title, lines }: Pick<Explained, "title" | "lines">): HTMLElement {
  const box = document.createElement("div");
  box.className = "editor-help";
  if (title !== "") {
    const head = document.createElement("code");
    head.textContent = title;
    box.append(head);
  }
  for (const line of lines) {
    const part = document.createElement("p");
    part.textContent = line;
    box.append(part);
  }
  return box;
}

export class Desk {
  private readonly view: EditorView;
  private readonly others = new Map<string, Kept>();
  private readonly changing = new Compartment();
  private marks: readonly Mark[] = [];

  constructor(
    parent: HTMLElement,
    private readonly language: Extension,
    private files: readonly TextFile[],
    private active: string,
    private settings: DeskSettings,
    private readonly onChange: (files: TextFile[]) => void,
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
  take(files: readonly TextFile[], shown: string) {
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
      .map(({ severity, line, column, endLine, endColumn, message, note }) => {
        const from = offsetOf(doc, line, column);
        return {
          severity,
          message: note === null ? message : `${message}\n${note}`,
          from,
          to: Math.max(from, offsetOf(doc, endLine, endColumn)),
        };
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
      this.language,
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
      autocompletion({
        override: [({ pos, explicit }) => this.settings.complete(this.asked(pos, explicit))],
        icons: false,
      }),
      hoverTooltip((_, pos) => this.hover(pos)),
      help,
      keymap.of([
        { key: "Mod-i", run: () => this.help(), preventDefault: true },
        { key: "Escape", run: closeHelp },
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

  private asked(pos: number, explicit: boolean): Asked {
    return { text: this.view.state.doc.toString(), pos, files: this.files, explicit };
  }

  private hover(pos: number): Tooltip | null {
    const found = this.settings.explain(this.asked(pos, false));
    return found && { pos: found.from, end: found.to, above: true, create: () => ({ dom: helpBox(found) }) };
  }

  /** By the keyboard what the mouse shows where it rests: what is wrong at the cursor, and what the word there means. */
  private help(): boolean {
    const { head } = this.view.state.selection.main;
    const found = this.settings.explain(this.asked(head, true));
    const wrong: string[] = [];
    forEachDiagnostic(this.view.state, ({ message }, from, to) => {
      if (from <= head && head <= to) wrong.push(message);
    });
    const told = { title: found?.title ?? "", lines: [...wrong, ...(found?.lines ?? [])] };
    if (told.title === "" && told.lines.length === 0) return true;
    this.view.dispatch({
      effects: [
        setHelp.of({ pos: found?.from ?? head, above: true, create: () => ({ dom: helpBox(told) }) }),
        EditorView.announce.of([told.title, ...told.lines].filter((line) => line !== "").join(". ")),
      ],
    });
    return true;
  }
}

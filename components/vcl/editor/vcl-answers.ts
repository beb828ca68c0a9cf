// VCL as the editor asks for it: how it is read, and what can be put in at the cursor.
import {
  type Completion,
  type CompletionResult,
  insertCompletionText,
  startCompletion,
} from "@codemirror/autocomplete";
import { indentUnit } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import type { Asked } from "@/components/editor/desk";
import { choicesAt } from "./vcl-complete";
import { vclLanguage } from "./vcl-language";

export const vclSupport: Extension = [vclLanguage, indentUnit.of("    ")];

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

/** What can stand at the cursor. */
export function completeVcl({ text, pos, files, explicit }: Asked): CompletionResult | null {
  const found = choicesAt(text, pos, files);
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

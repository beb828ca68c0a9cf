"use client";
// What differs between two sets of files, file by file: side by side where there is room, else one under the other.
import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, lineNumbers } from "@codemirror/view";
import { useTranslations } from "next-intl";
import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { Empty } from "@/components/ui/states";
import type { TextFile } from "./desk";
import { look, phrasesOf } from "./look";
import { useMedia } from "./use-media";

const roomForTwo = "(min-width: 900px)";
const collapse = { collapseUnchanged: { margin: 3, minSize: 4 } };

const added = "color-mix(in oklch, var(--up) 13%, transparent)";
const removed = "color-mix(in oklch, var(--down) 11%, transparent)";
const under = (color: string) => `linear-gradient(${color}, ${color}) bottom/100% 2px no-repeat`;
const sign = (content: string, color: string) => ({
  background: "none",
  "&:before": { content: `"${content}"`, color, fontWeight: "700", display: "block", textAlign: "center" },
});

/** A sign stands at each line that differs, so that colour does not say it alone. */
const diffLook = EditorView.theme({
  "&": { maxWidth: "100%" },
  ".cm-changeGutter": { width: "1.4em", padding: "0" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk": { backgroundColor: removed },
  "&.cm-merge-b .cm-changedLine, .cm-inlineChangedLine": { backgroundColor: added },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": { background: under("var(--down)") },
  "&.cm-merge-b .cm-changedText": { background: under("var(--up)") },
  "&.cm-merge-b .cm-deletedText": { background: under("var(--down)") },
  "&.cm-merge-a .cm-changedLineGutter, .cm-deletedLineGutter": sign("−", "var(--down-ink)"),
  "&.cm-merge-b .cm-changedLineGutter": sign("+", "var(--up-ink)"),
  ".cm-deletedChunk": { paddingLeft: "6px" },
  ".cm-collapsedLines": {
    color: "var(--mute)",
    background: "var(--bg)",
    borderBlock: "1px solid var(--line)",
    fontFamily: "var(--font-sans)",
    "&:before, &:after": { content: '"⋯"' },
  },
  // What is new altogether replaces an empty line.
  "&.all-new .cm-deletedLineGutter": { visibility: "hidden" },
});

function DiffText({
  language,
  before,
  after,
  both,
  whole,
  beforeLabel,
  afterLabel,
}: {
  readonly language: Extension;
  readonly before: string;
  readonly after: string;
  readonly both: boolean;
  /** With the lines that are the same. */
  readonly whole: boolean;
  readonly beforeLabel: string;
  readonly afterLabel: string;
}) {
  const t = useTranslations();
  const host = useRef<HTMLDivElement>(null);
  const extensions = useMemo(
    (): Extension => [
      look,
      diffLook,
      language,
      lineNumbers(),
      EditorView.lineWrapping,
      EditorState.readOnly.of(true),
      // The region around it is what scrolls and takes the focus.
      EditorView.editable.of(false),
      phrasesOf((key) => t.raw(`editor.phrases.${key}`)),
    ],
    [t, language],
  );
  useLayoutEffect(() => {
    const parent = host.current;
    if (!parent) return;
    const collapsed = whole ? {} : collapse;
    const named = (label: string) => [extensions, EditorView.contentAttributes.of({ "aria-label": label })];
    const view = both
      ? new MergeView({
          parent,
          a: { doc: before, extensions: named(beforeLabel) },
          b: { doc: after, extensions: named(afterLabel) },
          ...collapsed,
        })
      : new EditorView({
          parent,
          doc: after,
          extensions: [
            named(afterLabel),
            // As MergeView marks the newer one: what it adds looks the same either way.
            EditorView.editorAttributes.of({ class: before === "" ? "cm-merge-b all-new" : "cm-merge-b" }),
            unifiedMergeView({ original: before, mergeControls: false, ...collapsed }),
          ],
        });
    return () => view.destroy();
  }, [before, after, both, whole, beforeLabel, afterLabel, extensions]);
  return <div ref={host} />;
}

/** Shows what differs, read-only. Files that are the same are left out; when all are, it says so. */
export function TextDiff({
  language,
  before,
  after,
  beforeLabel,
  afterLabel,
}: {
  /** Always the same one for a language. */
  readonly language: Extension;
  readonly before: readonly TextFile[];
  readonly after: readonly TextFile[];
  readonly beforeLabel: string;
  readonly afterLabel: string;
}) {
  const t = useTranslations();
  const both = useMedia(roomForTwo);
  const [whole, setWhole] = useState(false);
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  const textIn = (files: readonly TextFile[], name: string) => files.find((file) => file.name === name)?.text;
  const different = names.flatMap((name) => {
    const [one, other] = [textIn(before, name), textIn(after, name)];
    if (one === other) return [];
    const how = one === undefined ? "added" : other === undefined ? "removed" : "changed";
    return [{ name, one: one ?? "", other: other ?? "", how } as const];
  });
  if (different.length === 0)
    return (
      <div className="card">
        <Empty title={t("editor.diff.same")} />
      </div>
    );
  return (
    <div className="grid gap-4">
      {/* By a click on where they are folded too, which the keyboard does not reach. */}
      <label className="tap flex items-center gap-2 justify-self-start">
        <input type="checkbox" checked={whole} onChange={(event) => setWhole(event.target.checked)} />
        {t("editor.diff.whole")}
      </label>
      {different.map(({ name, one, other, how }) => (
        <div key={name} className="card overflow-hidden [--editor-size:12.5px]">
          <h3 className="border-b border-line px-3 py-2.5">
            <code className="break-all">{name}</code>{" "}
            <span className="text-mute">{t(`editor.diff.${how}`)}</span>
          </h3>
          <div className="flex gap-3 border-b border-line px-3 py-1.5 text-xs text-mute">
            <span className="min-w-0 flex-1">
              <span aria-hidden="true" className="font-bold text-down-ink">
                −
              </span>{" "}
              {beforeLabel}
            </span>
            <span className="min-w-0 flex-1">
              <span aria-hidden="true" className="font-bold text-up-ink">
                +
              </span>{" "}
              {afterLabel}
            </span>
          </div>
          <section
            className="max-h-[75dvh] overflow-auto -outline-offset-2!"
            aria-label={t("editor.diff.between", { file: name, before: beforeLabel, after: afterLabel })}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is moved by the arrow keys once it has the focus
            tabIndex={0}
          >
            <DiffText
              language={language}
              before={one}
              after={other}
              both={both}
              whole={whole}
              beforeLabel={beforeLabel}
              afterLabel={afterLabel}
            />
          </section>
        </div>
      ))}
    </div>
  );
}

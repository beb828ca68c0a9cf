"use client";
import type { Extension } from "@codemirror/state";
// An editor of files in one language: files as tabs, one text, and below it every problem with the way to its place.
import { useTranslations } from "next-intl";
import { useId, useLayoutEffect, useMemo, useRef } from "react";
import { Status } from "@/components/ui/status";
import { Desk, type DeskSettings, type Mark, type TextFile } from "./desk";
import { type FileNames, FileTabs, tabId } from "./file-tabs";
import { phrasesOf } from "./look";
import { useMedia } from "./use-media";

/** As narrow as a phone: long lines are broken there. */
const narrow = "(max-width: 640px)";
const tones = { error: "down", warning: "warn" } as const;

function ProblemList({
  problems,
  files,
  onGo,
}: {
  readonly problems: readonly Mark[];
  readonly files: readonly TextFile[];
  readonly onGo: (problem: Mark) => void;
}) {
  const t = useTranslations();
  const worstFirst = [...problems].sort(
    (a, b) => Number(b.severity === "error") - Number(a.severity === "error"),
  );
  return (
    <section aria-label={t("editor.problems")} className="border-t border-line">
      <ul>
        {worstFirst.map((problem, index) => {
          const { severity, file, line, column, message, note } = problem;
          const parts = (
            <>
              <span className="shrink-0 sm:w-32">
                <Status tone={tones[severity]}>{t(`editor.${severity}`)}</Status>
              </span>
              <code className="shrink-0 break-all text-mute">
                {file}:{line}
              </code>
              <span className="min-w-0 grow basis-64 whitespace-pre-wrap">
                {message}
                {note !== null && <span className="text-mute"> · {note}</span>}
              </span>
            </>
          );
          const shape = "flex w-full flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2 text-left";
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: the same may be said twice of one place
            <li key={`${file}:${line}:${column} ${index}`} className="border-b border-line last:border-0">
              {files.some(({ name }) => name === file) ? (
                <button
                  type="button"
                  className={`tap ${shape} -outline-offset-2! hover:bg-wash`}
                  onClick={() => onGo(problem)}
                >
                  {parts}
                </button>
              ) : (
                <div className={shape}>{parts}</div>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/**
 * Edits files. Each file keeps its history, cursor and scroll while another is shown; files that come from
 * outside with the same text do too. Tab indents, Escape then Tab leaves.
 */
export function TextEditor({
  language,
  complete,
  explain,
  names,
  files,
  active,
  onActive,
  onChange,
  problems,
  readOnly = false,
  label,
}: {
  /** Always the same one for a language. */
  readonly language: Extension;
  /** As the other functions of a language: another one only when it answers otherwise. */
  readonly complete: DeskSettings["complete"];
  readonly explain: DeskSettings["explain"];
  readonly names: FileNames;
  readonly files: readonly TextFile[];
  readonly active: string;
  readonly onActive: (name: string) => void;
  readonly onChange?: (files: TextFile[]) => void;
  readonly problems: readonly Mark[];
  readonly readOnly?: boolean;
  readonly label: string;
}) {
  const t = useTranslations();
  const id = useId();
  const wraps = useMedia(narrow);
  const host = useRef<HTMLDivElement>(null);
  const desk = useRef<Desk | null>(null);
  const change = useRef(onChange);
  const goal = useRef<Mark | null>(null);
  const shown = files.some(({ name }) => name === active) ? active : (files[0]?.name ?? "");
  const closed = readOnly || onChange === undefined;
  const none = files.length === 0;
  const phrases = useMemo(() => phrasesOf((key) => t.raw(`editor.phrases.${key}`)), [t]);
  const settings = useMemo(
    (): DeskSettings => ({
      label: `${label}: ${shown}`,
      describedBy: `${id}keys`,
      // Without a file there is nothing that could be written in.
      readOnly: closed || none,
      wraps,
      phrases,
      complete,
      explain,
    }),
    [label, shown, id, closed, none, wraps, phrases, complete, explain],
  );

  // Before the browser paints, so that no key is typed into a text that is about to be replaced.
  useLayoutEffect(() => {
    change.current = onChange;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: made once; what changes later is told it below
  useLayoutEffect(() => {
    if (!host.current) return;
    const made = new Desk(host.current, language, files, shown, settings, (changed) =>
      change.current?.(changed),
    );
    desk.current = made;
    return () => {
      desk.current = null;
      made.destroy();
    };
  }, []);
  useLayoutEffect(() => {
    desk.current?.take(files, shown);
    const to = goal.current;
    goal.current = null;
    if (to !== null && to.file === shown) desk.current?.go(to.line, to.column);
  }, [files, shown]);
  useLayoutEffect(() => desk.current?.set(settings), [settings]);
  useLayoutEffect(() => desk.current?.mark(problems), [problems]);

  const go = (problem: Mark) => {
    if (problem.file === shown) return desk.current?.go(problem.line, problem.column);
    goal.current = problem;
    onActive(problem.file);
  };
  const mac = /mac|iphone|ipad/i.test(navigator.userAgent);
  return (
    <div className="card overflow-hidden [--editor-close:28px] [--editor-field:13.5px] [--editor-size:13px] [--editor-target:0px] max-sm:[--editor-close:44px] max-sm:[--editor-field:16px] max-sm:[--editor-size:16px] max-sm:[--editor-target:44px] pointer-coarse:[--editor-close:44px] pointer-coarse:[--editor-field:16px] pointer-coarse:[--editor-size:16px] pointer-coarse:[--editor-target:44px]">
      <FileTabs
        id={id}
        files={files}
        active={shown}
        problems={problems}
        onActive={onActive}
        names={names}
        acts={
          closed
            ? null
            : {
                add(name) {
                  onChange?.([...files, { name, text: "" }]);
                  onActive(name);
                },
                rename(name) {
                  desk.current?.renamed(shown, name);
                  onChange?.(files.map((file) => (file.name === shown ? { ...file, name } : file)));
                  onActive(name);
                },
                remove() {
                  onActive(files.find(({ name }) => name !== shown)?.name ?? "");
                  onChange?.(files.filter(({ name }) => name !== shown));
                },
              }
        }
      />
      <div role="tabpanel" id={`${id}panel`} aria-labelledby={tabId(id, shown)}>
        <div
          ref={host}
          className="-outline-offset-2 outline-deep has-[.cm-content:focus-visible]:outline-2 [&>.cm-editor]:max-h-[70dvh] [&>.cm-editor]:min-h-64"
        />
      </div>
      <p
        id={`${id}keys`}
        className="border-t border-line px-3 py-1.5 text-xs text-mute max-sm:sr-only pointer-coarse:sr-only"
      >
        {t("editor.keys", { mod: mac ? "⌘" : "Ctrl" })}
      </p>
      {problems.length > 0 && <ProblemList problems={problems} files={files} onGo={go} />}
    </div>
  );
}

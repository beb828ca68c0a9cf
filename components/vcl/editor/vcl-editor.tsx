"use client";
// The VCL editor: files as tabs, one text, and below it every problem with the way to its place.
import { useTranslations } from "next-intl";
import { useId, useLayoutEffect, useMemo, useRef } from "react";
import { useSay } from "@/components/ui/say";
import { Status } from "@/components/ui/status";
import type { VclFile, VclProblem } from "@/lib/vcl/contract";
import { FileTabs, tabId } from "./file-tabs";
import { phrasesOf } from "./look";
import { useMedia } from "./use-media";
import { Desk, type DeskSettings, type Mark } from "./vcl-desk";
import type { Meaning, Where } from "./vcl-hover";

/** As narrow as a phone: long lines are broken there. */
const narrow = "(max-width: 640px)";
const tones = { error: "down", warning: "warn" } as const;

function useTell(): DeskSettings["tell"] {
  const t = useTranslations();
  const say = useSay();
  return useMemo(() => {
    const where = (place: Where) =>
      typeof place === "string" ? t(`vcl.editor.meaning.${place}`) : say.list(place);
    return ({ help, use, since, defined }: Meaning) => {
      const lines = [help];
      if (use?.read) lines.push(t("vcl.editor.meaning.read", { where: where(use.read) }));
      if (use?.write) lines.push(t("vcl.editor.meaning.write", { where: where(use.write) }));
      if (use?.unset) lines.push(t("vcl.editor.meaning.unset", { where: where(use.unset) }));
      if (since !== null) lines.push(t("vcl.editor.meaning.since", { version: since }));
      if (defined) lines.push(t("vcl.editor.meaning.defined", { file: defined.file, line: defined.line }));
      return lines.filter((line) => line !== "");
    };
  }, [t, say]);
}

function ProblemList({
  problems,
  files,
  textOf,
  onGo,
}: {
  readonly problems: readonly VclProblem[];
  readonly files: readonly VclFile[];
  readonly textOf: (problem: VclProblem) => string;
  readonly onGo: (problem: VclProblem) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const worstFirst = [...problems].sort(
    (a, b) => Number(b.severity === "error") - Number(a.severity === "error"),
  );
  return (
    <section aria-label={t("vcl.editor.problems")} className="border-t border-line">
      <ul>
        {worstFirst.map((problem, index) => {
          const { severity, file, line, column, nodes } = problem;
          const parts = (
            <>
              <span className="shrink-0 sm:w-32">
                <Status tone={tones[severity]}>{t(`vcl.editor.${severity}`)}</Status>
              </span>
              <code className="shrink-0 break-all text-mute">
                {file}:{line}
              </code>
              <span className="min-w-0 grow basis-64 whitespace-pre-wrap">
                {textOf(problem)}
                {nodes.length > 0 && (
                  <span className="text-mute"> · {t("vcl.editor.on", { nodes: say.list(nodes) })}</span>
                )}
              </span>
            </>
          );
          const shape = "flex w-full flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2 text-left";
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: two nodes may say the same of one place
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
 * Edits the files of a VCL. Each file keeps its history, cursor and scroll while another is shown; files that come from
 * outside with the same text do too. Tab indents, Escape then Tab leaves.
 */
export function VclEditor({
  files,
  active,
  onActive,
  onChange,
  problems,
  readOnly = false,
  label,
}: {
  readonly files: VclFile[];
  readonly active: string;
  readonly onActive: (name: string) => void;
  readonly onChange?: (files: VclFile[]) => void;
  readonly problems: VclProblem[];
  readonly readOnly?: boolean;
  readonly label: string;
}) {
  const t = useTranslations();
  const id = useId();
  const say = useSay();
  const tell = useTell();
  const wraps = useMedia(narrow);
  const host = useRef<HTMLDivElement>(null);
  const desk = useRef<Desk | null>(null);
  const change = useRef(onChange);
  const goal = useRef<VclProblem | null>(null);
  const shown = files.some(({ name }) => name === active) ? active : (files[0]?.name ?? "");
  const closed = readOnly || onChange === undefined;
  const phrases = useMemo(() => phrasesOf((key) => t.raw(`vcl.editor.phrases.${key}`)), [t]);
  const settings = useMemo(
    (): DeskSettings => ({
      label: `${label}: ${shown}`,
      describedBy: `${id}keys`,
      readOnly: closed,
      wraps,
      phrases,
      tell,
    }),
    [label, shown, id, closed, wraps, phrases, tell],
  );
  const textOf = useMemo(
    () => (problem: VclProblem) =>
      problem.says ?? (problem.warning === null ? "" : say.key("vcl.warnings", problem.warning)),
    [say],
  );
  const marks = useMemo(
    () =>
      problems.map((problem): Mark => {
        const nodes =
          problem.nodes.length === 0 ? "" : `\n${t("vcl.editor.on", { nodes: say.list(problem.nodes) })}`;
        return { ...problem, message: `${textOf(problem)}${nodes}` };
      }),
    [problems, textOf, say, t],
  );

  // Before the browser paints, so that no key is typed into a text that is about to be replaced.
  useLayoutEffect(() => {
    change.current = onChange;
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: made once; what changes later is told it below
  useLayoutEffect(() => {
    if (!host.current) return;
    const made = new Desk(host.current, files, shown, settings, (changed) => change.current?.(changed));
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
  useLayoutEffect(() => desk.current?.mark(marks), [marks]);

  const go = (problem: VclProblem) => {
    if (problem.file === shown) return desk.current?.go(problem.line, problem.column);
    goal.current = problem;
    onActive(problem.file);
  };
  const mac = /mac|iphone|ipad/i.test(navigator.userAgent);
  return (
    <div className="card overflow-hidden [--vcl-field:13.5px] [--vcl-size:13px] max-sm:[--vcl-field:16px] max-sm:[--vcl-size:16px] pointer-coarse:[--vcl-field:16px] pointer-coarse:[--vcl-size:16px]">
      <FileTabs
        id={id}
        files={files}
        active={shown}
        problems={problems}
        onActive={onActive}
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
                  onActive(files[0]?.name ?? "");
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
        {t("vcl.editor.keys", { mod: mac ? "⌘" : "Ctrl" })}
      </p>
      {problems.length > 0 && <ProblemList problems={problems} files={files} textOf={textOf} onGo={go} />}
    </div>
  );
}

"use client";
// The VCL editor: its language, what its compilers and Sluice say of it, and what may be completed.
import { useTranslations } from "next-intl";
import { useMemo } from "react";
import type { DeskSettings, Mark } from "@/components/editor/desk";
import type { FileNames } from "@/components/editor/file-tabs";
import { TextEditor } from "@/components/editor/text-editor";
import { useSay } from "@/components/ui/say";
import { type VclFile, type VclProblem, vclFile } from "@/lib/vcl/contract";
import { completeVcl, vclSupport } from "./vcl-answers";
import { meaningAt, type Where } from "./vcl-hover";

function useExplain(): DeskSettings["explain"] {
  const t = useTranslations();
  const say = useSay();
  return useMemo(() => {
    const where = (place: Where) =>
      typeof place === "string" ? t(`vcl.editor.meaning.${place}`) : say.list(place);
    return ({ text, pos, files }) => {
      const meaning = meaningAt(text, pos, files);
      if (meaning === null) return null;
      const { from, to, title, help, use, since, defined } = meaning;
      const lines = [help];
      if (use?.read) lines.push(t("vcl.editor.meaning.read", { where: where(use.read) }));
      if (use?.write) lines.push(t("vcl.editor.meaning.write", { where: where(use.write) }));
      if (use?.unset) lines.push(t("vcl.editor.meaning.unset", { where: where(use.unset) }));
      if (since !== null) lines.push(t("vcl.editor.meaning.since", { version: since }));
      if (defined) lines.push(t("vcl.editor.meaning.defined", { file: defined.file, line: defined.line }));
      return { from, to, title, lines: lines.filter((line) => line !== "") };
    };
  }, [t, say]);
}

export function VclEditor({
  files,
  active,
  onActive,
  onChange,
  problems,
  label,
}: {
  readonly files: VclFile[];
  readonly active: string;
  readonly onActive: (name: string) => void;
  readonly onChange: (files: VclFile[]) => void;
  readonly problems: VclProblem[];
  readonly label: string;
}) {
  const t = useTranslations();
  const say = useSay();
  const explain = useExplain();
  const names = useMemo(
    (): FileNames => ({
      valid: (name) => vclFile.shape.name.safeParse(name).success,
      wrong: t("vcl.editor.nameWrong"),
      addHelp: t("vcl.editor.addHelp"),
      renameHelp: t("vcl.editor.renameHelp"),
      firstStays: true,
    }),
    [t],
  );
  const marks = useMemo(
    () =>
      problems.map(
        (problem): Mark => ({
          ...problem,
          message: problem.says ?? (problem.warning === null ? "" : say.key("vcl.warnings", problem.warning)),
          note: problem.nodes.length === 0 ? null : t("vcl.editor.on", { nodes: say.list(problem.nodes) }),
        }),
      ),
    [problems, say, t],
  );
  return (
    <TextEditor
      language={vclSupport}
      complete={completeVcl}
      explain={explain}
      names={names}
      files={files}
      active={active}
      onActive={onActive}
      onChange={onChange}
      problems={marks}
      label={label}
    />
  );
}

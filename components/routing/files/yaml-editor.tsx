"use client";
// The editor of Traefik's files: YAML, what may be written where, and what Traefik would make of it.
import type { CompletionResult } from "@codemirror/autocomplete";
import { yaml } from "@codemirror/lang-yaml";
import { useTranslations } from "next-intl";
import { useMemo } from "react";
import type { Asked, Explained, Mark } from "@/components/editor/desk";
import type { FileNames } from "@/components/editor/file-tabs";
import { TextDiff } from "@/components/editor/text-diff";
import { TextEditor } from "@/components/editor/text-editor";
import { useSay } from "@/components/ui/say";
import { type ConfigFile, type ConfigWords, type FileProblem, fileName } from "@/lib/routing/files/contract";
import { useSayProblem } from "./problems";
import { yamlChoices, yamlMeaning } from "./yaml-complete";

const language = yaml();
const nothing: ConfigWords = {
  fields: {},
  entryPoints: [],
  certResolvers: [],
  routers: [],
  services: [],
  middlewares: [],
};

type SayTakes = (takes: string) => string;

function complete(
  { text, pos, files, explicit }: Asked,
  words: ConfigWords,
  say: SayTakes,
): CompletionResult | null {
  const found = yamlChoices(text, pos, words, files);
  if (found === null || (!explicit && found.from === pos)) return null;
  return {
    from: found.from,
    validFor: /^[\w.@-]*$/,
    options: found.choices.map(({ label, insert, type, detail }) => ({
      label,
      apply: insert,
      type,
      detail: say(detail),
    })),
  };
}

function explain({ text, pos }: Asked, words: ConfigWords, say: SayTakes): Explained | null {
  const found = yamlMeaning(text, pos, words);
  return found && { from: found.from, to: found.to, title: found.title, lines: [say(found.takes)] };
}

export function YamlEditor({
  files,
  active,
  onActive,
  onChange,
  problems,
  words = nothing,
  label,
}: {
  readonly files: ConfigFile[];
  readonly active: string;
  readonly onActive: (name: string) => void;
  readonly onChange: (files: ConfigFile[]) => void;
  readonly problems: readonly FileProblem[];
  readonly words?: ConfigWords | undefined;
  readonly label: string;
}) {
  const t = useTranslations();
  const say = useSay();
  const sayProblem = useSayProblem();
  const names = useMemo(
    (): FileNames => ({
      valid: (name) => fileName.safeParse(name).success,
      wrong: t("routing.files.nameWrong"),
      addHelp: t("routing.files.addHelp"),
      renameHelp: t("routing.files.renameHelp"),
      firstStays: false,
    }),
    [t],
  );
  const answers = useMemo(() => {
    const sayTakes = (takes: string) => (takes === "" ? "" : say.key("routing.files.takes", takes));
    return {
      complete: (asked: Asked) => complete(asked, words, sayTakes),
      explain: (asked: Asked) => explain(asked, words, sayTakes),
    };
  }, [words, say]);
  const marks = useMemo(
    () =>
      problems.map(
        (problem): Mark => ({
          ...problem,
          message: sayProblem(problem),
          note: problem.known ? t("routing.files.known") : null,
        }),
      ),
    [problems, sayProblem, t],
  );
  return (
    <TextEditor
      language={language}
      complete={answers.complete}
      explain={answers.explain}
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

export function YamlDiff(sides: {
  readonly before: readonly ConfigFile[];
  readonly after: readonly ConfigFile[];
  readonly beforeLabel: string;
  readonly afterLabel: string;
}) {
  return <TextDiff language={language} {...sides} />;
}

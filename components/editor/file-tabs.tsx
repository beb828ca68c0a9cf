"use client";
// Files as tabs, and the small forms that add, rename and remove one.
import { useTranslations } from "next-intl";
import { type KeyboardEvent, useId, useRef, useState } from "react";
import { Field } from "@/components/ui/field";
import { StatusShape } from "@/components/ui/status";
import type { Mark, TextFile } from "./desk";

/** What a tab's id is, for the panel that it names. */
export const tabId = (id: string, name: string) => `${id}tab-${name}`;

/** What a file may be called, and what is told of it. */
export type FileNames = {
  readonly valid: (name: string) => boolean;
  readonly wrong: string;
  readonly addHelp: string;
  readonly renameHelp: string;
  /** The first file is the main one: it keeps its name and stays. */
  readonly firstStays: boolean;
};

function NameForm({
  help,
  names,
  verb,
  first,
  taken,
  onName,
  onClose,
}: {
  readonly help: string;
  readonly names: FileNames;
  readonly verb: string;
  readonly first: string;
  readonly taken: readonly string[];
  readonly onName: (name: string) => void;
  readonly onClose: () => void;
}) {
  const t = useTranslations();
  const [name, setName] = useState(first);
  const [error, setError] = useState<string | null>(null);
  return (
    <form
      className="flex flex-wrap items-end gap-2 border-b border-line px-3 py-2.5"
      onSubmit={(event) => {
        event.preventDefault();
        if (!names.valid(name)) setError(names.wrong);
        else if (taken.includes(name)) setError(t("editor.nameTaken"));
        else onName(name);
      }}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <div className="min-w-0 grow basis-64">
        <Field
          label={t("editor.name")}
          help={help}
          error={error}
          className="font-mono"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          autoFocus
          value={name}
          onChange={(event) => {
            setName(event.target.value);
            setError(null);
          }}
        />
      </div>
      <button type="button" className="btn" onClick={onClose}>
        {t("act.cancel")}
      </button>
      <button type="submit" className="btn btn-primary">
        {verb}
      </button>
    </form>
  );
}

function RemoveForm({
  name,
  onRemove,
  onClose,
}: {
  readonly name: string;
  readonly onRemove: () => void;
  readonly onClose: () => void;
}) {
  const t = useTranslations();
  return (
    <div className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-2.5">
      <p className="min-w-0 grow">{t("editor.removeAsk", { name })}</p>
      {/* biome-ignore lint/a11y/noAutofocus: the question has just been asked for */}
      <button type="button" className="btn" autoFocus onClick={onClose}>
        {t("act.cancel")}
      </button>
      <button type="button" className="btn btn-danger" onClick={onRemove}>
        {t("editor.remove")}
      </button>
    </div>
  );
}

/** The acts on the list of files: on the one that is shown, but for `add`. */
export type FileActs = {
  readonly add: (name: string) => void;
  readonly rename: (name: string) => void;
  readonly remove: () => void;
};

export function FileTabs({
  id,
  files,
  active,
  problems,
  onActive,
  names: rules,
  acts,
}: {
  readonly id: string;
  readonly files: readonly TextFile[];
  readonly active: string;
  readonly problems: readonly Mark[];
  readonly onActive: (name: string) => void;
  readonly names: FileNames;
  /** Null where nothing may be changed. */
  readonly acts: FileActs | null;
}) {
  const t = useTranslations();
  const helpId = useId();
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<keyof FileActs | null>(null);
  const names = files.map(({ name }) => name);
  const place = names.indexOf(active);
  const close = () => setOpen(null);
  const move = (event: KeyboardEvent) => {
    const last = names.length - 1;
    const next = {
      ArrowRight: place === last ? 0 : place + 1,
      ArrowLeft: place <= 0 ? last : place - 1,
      Home: 0,
      End: last,
    }[event.key];
    const name = next === undefined ? undefined : names[next];
    if (name === undefined) return;
    event.preventDefault();
    onActive(name);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next ?? 0]?.focus();
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-2 border-b border-line pr-2">
        <div
          ref={list}
          role="tablist"
          aria-label={t("editor.files")}
          className="-mb-px flex min-w-0 grow overflow-x-auto"
          onKeyDown={move}
        >
          {files.map(({ name }) => {
            const own = problems.filter(({ file }) => file === name);
            const worst = own.some(({ severity }) => severity === "error") ? "down" : "warn";
            const here = name === active;
            return (
              <button
                key={name}
                type="button"
                role="tab"
                id={tabId(id, name)}
                aria-selected={here}
                aria-controls={`${id}panel`}
                tabIndex={here ? 0 : -1}
                className={`tap flex shrink-0 items-center gap-1.5 border-b-2 px-3 py-2 font-mono text-xs -outline-offset-2! ${here ? "border-deep text-ink" : "border-transparent text-mute hover:text-ink"}`}
                onClick={() => {
                  close();
                  onActive(name);
                }}
              >
                {name}
                {own.length > 0 && (
                  <span className="chip">
                    <StatusShape tone={worst} size={12} />
                    <span className="num" aria-hidden="true">
                      {own.length}
                    </span>
                    <span className="sr-only">{t("editor.count", { count: own.length })}</span>
                  </span>
                )}
              </button>
            );
          })}
        </div>
        {acts && (
          <div className="flex flex-wrap">
            <button
              type="button"
              className="btn btn-quiet"
              aria-expanded={open === "add"}
              onClick={() => setOpen("add")}
            >
              {t("editor.add")}
            </button>
            {place >= (rules.firstStays ? 1 : 0) && (
              <>
                <button
                  type="button"
                  className="btn btn-quiet"
                  aria-expanded={open === "rename"}
                  onClick={() => setOpen("rename")}
                >
                  {t("editor.rename")}
                </button>
                <button
                  type="button"
                  className="btn btn-quiet"
                  aria-expanded={open === "remove"}
                  onClick={() => setOpen("remove")}
                >
                  {t("editor.remove")}
                </button>
              </>
            )}
          </div>
        )}
      </div>
      {acts && (open === "add" || open === "rename") && (
        <NameForm
          key={`${open} ${helpId}`}
          help={open === "add" ? rules.addHelp : rules.renameHelp}
          names={rules}
          verb={t(`editor.${open}`)}
          first={open === "add" ? "" : active}
          taken={names.filter((name) => open === "add" || name !== active)}
          onName={(name) => {
            close();
            acts[open](name);
          }}
          onClose={close}
        />
      )}
      {acts && open === "remove" && (
        <RemoveForm
          name={active}
          onRemove={() => {
            close();
            acts.remove();
          }}
          onClose={close}
        />
      )}
    </>
  );
}

"use client";
// A modal dialog on the browser's own <dialog>: focus is kept in, Escape closes.
import { useTranslations } from "next-intl";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { CloseIcon } from "./icons";

export function Dialog({
  open,
  title,
  onClose,
  children,
  wide = false,
}: {
  readonly open: boolean;
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly wide?: boolean;
}) {
  const t = useTranslations();
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const element = dialog.current;
    if (open && element && !element.open) element.showModal();
    if (!open && element?.open) element.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onClose={onClose}
      className={`card w-[calc(100vw-24px)] p-0 ${wide ? "max-w-3xl" : "max-w-lg"} max-h-[calc(100dvh-24px)] overflow-auto`}
    >
      {open && (
        <div className="p-4 sm:p-5">
          <div className="mb-3 flex items-start gap-3">
            <h2 id={heading} className="flex-1 text-lg leading-snug">
              {title}
            </h2>
            <button type="button" className="btn btn-quiet -m-1 px-2" onClick={onClose}>
              <CloseIcon />
              <span className="sr-only">{t("act.close")}</span>
            </button>
          </div>
          {children}
        </div>
      )}
    </dialog>
  );
}

/** Asks before a disruptive act; with `typed`, that text must be written first (destructive). */
export function Confirm({
  open,
  title,
  verb,
  typed = null,
  danger = false,
  busy = false,
  onConfirm,
  onClose,
  children,
}: {
  readonly open: boolean;
  readonly title: string;
  /** What the button does, with its count: "Purge 214 pages". */
  readonly verb: string;
  readonly typed?: string | null;
  readonly danger?: boolean;
  readonly busy?: boolean;
  readonly onConfirm: (typed: string) => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  const t = useTranslations();
  const [text, setText] = useState("");
  const field = useId();
  useEffect(() => {
    if (!open) setText("");
  }, [open]);
  const ready = typed === null || text.trim() === typed;
  return (
    <Dialog open={open} title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) onConfirm(text.trim());
        }}
      >
        <div className="text-mute">{children}</div>
        {typed !== null && (
          <div className="mt-4">
            <label htmlFor={field}>
              {t.rich("confirm.type", {
                text: typed,
                code: (chunks) => <code className="rounded bg-wash px-1 py-0.5 text-ink">{chunks}</code>,
              })}
            </label>
            <input
              id={field}
              className="input mt-1.5 font-mono"
              autoComplete="off"
              spellCheck={false}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </div>
        )}
        <div className="mt-5 flex flex-wrap justify-end gap-2">
          <button type="button" className="btn" onClick={onClose}>
            {t("act.cancel")}
          </button>
          <button
            type="submit"
            className={`btn ${danger ? "btn-danger" : "btn-primary"}`}
            disabled={!ready || busy}
          >
            {verb}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

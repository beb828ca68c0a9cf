"use client";
// Toasts, for background results only. Errors stay until closed and can be copied with their request id.
import { useTranslations } from "next-intl";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import { copyText } from "./copy-text";
import { CloseIcon, CopyIcon } from "./icons";
import { problemOf } from "./problem";
import { useSay } from "./say";
import { StatusShape, type Tone } from "./status";

type Toast = {
  readonly id: number;
  readonly tone: Tone;
  readonly text: string;
  readonly requestId: string | null;
  readonly copy: string | null;
};
type Toasts = {
  /** Something finished; gone after 6 s. */
  tell(text: string, tone?: Tone): void;
  /** Something failed; stays. */
  fail(error: unknown): void;
};

const ToastContext = createContext<Toasts>({ tell: () => undefined, fail: () => undefined });

/** The toasts of this tab. */
export const useToasts = () => useContext(ToastContext);

export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const t = useTranslations();
  const say = useSay();
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const next = useRef(1);
  const close = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);
  const value = useMemo<Toasts>(() => {
    const add = (toast: Omit<Toast, "id">) => {
      const id = next.current++;
      setToasts((all) => [...all.slice(-3), { ...toast, id }]);
      return id;
    };
    return {
      tell(text, tone = "up") {
        const id = add({ tone, text, requestId: null, copy: null });
        setTimeout(() => close(id), 6000);
      },
      fail(error) {
        const problem = problemOf(error);
        add({
          tone: "down",
          text: say.problem(problem),
          requestId: problem.requestId,
          copy: [problem.code, problem.message, problem.requestId && `request ${problem.requestId}`]
            .filter(Boolean)
            .join("\n"),
        });
      },
    };
  }, [say, close]);
  return (
    <ToastContext value={value}>
      {children}
      <div
        role="status"
        aria-live="polite"
        className="fixed right-3 bottom-28 left-3 z-50 grid gap-2 sm:bottom-12 sm:left-auto sm:w-96"
      >
        {toasts.map((toast) => (
          <div key={toast.id} className="card flex items-start gap-2.5 border-edge p-3">
            <span className="pt-0.5">
              <StatusShape tone={toast.tone} size={16} />
            </span>
            <div className="min-w-0 flex-1">
              <p>{toast.text}</p>
              {toast.requestId !== null && (
                <code className="text-mute">{t("toast.request", { id: toast.requestId })}</code>
              )}
            </div>
            {toast.copy !== null && (
              <button
                type="button"
                className="btn btn-quiet -my-1 px-2"
                onClick={() => void copyText(toast.copy ?? "")}
              >
                <CopyIcon />
                <span className="sr-only">{t("act.copy")}</span>
              </button>
            )}
            <button type="button" className="btn btn-quiet -my-1 px-2" onClick={() => close(toast.id)}>
              <CloseIcon />
              <span className="sr-only">{t("act.close")}</span>
            </button>
          </div>
        ))}
      </div>
    </ToastContext>
  );
}

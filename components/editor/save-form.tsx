"use client";
// Saves what is edited as a revision: what was changed, and why.
import { useTranslations } from "next-intl";
import { useState } from "react";
import { Field } from "@/components/ui/field";
import { problemOf } from "@/components/ui/problem";
import { useSay } from "@/components/ui/say";

export function SaveForm({
  verb,
  first = "",
  disabled,
  pending,
  error,
  onSave,
}: {
  readonly verb: string;
  /** What the reason is before anybody writes one. */
  readonly first?: string;
  readonly disabled: boolean;
  readonly pending: boolean;
  readonly error: Error | null;
  readonly onSave: (reason: string) => void;
}) {
  const t = useTranslations();
  const say = useSay();
  const [reason, setReason] = useState(first);
  return (
    <form
      className="card grid gap-2 p-3 sm:flex sm:items-end"
      onSubmit={(event) => {
        event.preventDefault();
        if (!disabled && !pending) onSave(reason.trim());
      }}
    >
      <div className="min-w-0 flex-1">
        <Field
          label={t("editor.why")}
          error={error && say.problem(problemOf(error))}
          maxLength={500}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </div>
      <button type="submit" className="btn btn-primary" disabled={disabled || pending}>
        {verb}
      </button>
    </form>
  );
}

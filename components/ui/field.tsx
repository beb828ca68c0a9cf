"use client";
// A labelled input with its help and its error in place.
import { type InputHTMLAttributes, type ReactNode, useId } from "react";
import { StatusShape } from "./status";

/** The error line under a field; announced when it appears. */
export function FieldError({ id, children }: { readonly id?: string; readonly children: ReactNode }) {
  return (
    <p
      {...(id === undefined ? {} : { id })}
      role="alert"
      className="mt-1.5 flex items-start gap-1.5 text-down-ink"
    >
      <span className="pt-0.5">
        <StatusShape tone="down" />
      </span>
      <span>{children}</span>
    </p>
  );
}

export function Field({
  label,
  help,
  error,
  hideLabel = false,
  className = "",
  ...input
}: InputHTMLAttributes<HTMLInputElement> & {
  readonly label: string;
  readonly help?: ReactNode;
  readonly error?: string | null;
  readonly hideLabel?: boolean;
}) {
  const id = useId();
  const described = [help ? `${id}-help` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div>
      <label htmlFor={id} className={hideLabel ? "sr-only" : "mb-1 block font-medium"}>
        {label}
      </label>
      <input
        {...input}
        id={id}
        className={`input ${className}`}
        aria-invalid={error ? true : undefined}
        aria-describedby={described || undefined}
      />
      {help && (
        <p id={`${id}-help`} className="mt-1 text-xs text-mute">
          {help}
        </p>
      )}
      {error && <FieldError id={`${id}-error`}>{error}</FieldError>}
    </div>
  );
}

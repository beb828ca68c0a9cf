"use client";
// Copies a text and says so on the button itself.
import { useTranslations } from "next-intl";
import { useEffect, useState } from "react";
import { copyText } from "./copy-text";
import { CopyIcon } from "./icons";

export function CopyButton({
  text,
  label,
  className = "",
}: {
  readonly text: string | (() => string);
  readonly label?: string;
  readonly className?: string;
}) {
  const t = useTranslations();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className={`btn ${className}`}
      onClick={async () => {
        setCopied(await copyText(typeof text === "string" ? text : text()));
      }}
    >
      <CopyIcon />
      <span aria-live="polite">{copied ? t("act.copied") : (label ?? t("act.copy"))}</span>
    </button>
  );
}

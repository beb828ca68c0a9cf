"use client";
// Who you are, your account, and the way out.
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useEffect, useRef, useState } from "react";
import { dropAllDrafts } from "@/components/editor/draft";
import { signOut } from "@/components/entry/auth-calls";
import { OutIcon, UserIcon } from "@/components/ui/icons";
import { useToasts } from "@/components/ui/toast";
import { useMe } from "./me";

export function AccountMenu() {
  const t = useTranslations();
  const me = useMe();
  const toasts = useToasts();
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      if (event.target instanceof Node && !root.current?.contains(event.target)) setOpen(false);
    };
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("keydown", onEscape);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("keydown", onEscape);
    };
  }, [open]);
  return (
    <div ref={root} className="relative">
      <button
        ref={button}
        type="button"
        className="btn btn-quiet px-2"
        aria-expanded={open}
        title={me.name}
        onClick={() => setOpen(!open)}
      >
        <UserIcon />
        <span className="sr-only">{t("frame.account", { name: me.name })}</span>
      </button>
      {open && (
        <div className="card absolute top-full right-0 z-40 mt-1 w-64 border-edge p-1.5">
          <div className="border-b border-line px-2.5 pt-1.5 pb-2.5">
            <p className="font-semibold">{me.name}</p>
            {me.email !== null && <p className="text-mute">{me.email}</p>}
            <p className="text-xs text-mute">
              {t(`roles.${me.role}`)}
              {me.sites !== null && me.sites.length > 0 && ` · ${me.sites.join(", ")}`}
            </p>
          </div>
          <Link
            href="/settings/account"
            className="btn btn-quiet mt-1.5 w-full justify-start text-ink"
            onClick={() => setOpen(false)}
          >
            <UserIcon />
            {t("settings.account")}
          </Link>
          <button
            type="button"
            className="btn btn-quiet w-full justify-start text-ink"
            onClick={async () => {
              try {
                await signOut();
                dropAllDrafts();
                location.assign("/sign-in");
              } catch (error) {
                toasts.fail(error);
              }
            }}
          >
            <OutIcon />
            {t("act.signOut")}
          </button>
        </div>
      )}
    </div>
  );
}

"use client";
// The command palette: every room and act by name; a pasted address becomes "purge it". Loaded when first asked for.
import { Command } from "cmdk";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useEffect, useRef, useState } from "react";
import { signOut } from "@/components/entry/auth-calls";
import {
  AgainIcon,
  BackupIcon,
  BookIcon,
  HistoryIcon,
  IncidentIcon,
  KeyIcon,
  OutIcon,
  PlugIcon,
  PurgeIcon,
  RoutingIcon,
  ServicesIcon,
  UserIcon,
  UsersIcon,
  VclIcon,
} from "@/components/ui/icons";
import { useMe } from "./me";

/** True when the text can only be meant as a page's address. */
export function looksLikeAddress(text: string): boolean {
  return /^(https?:\/\/)?[^\s/]+\.[^\s/]+(\/\S*)?$|^https?:\/\/\S+$|^localhost(:\d+)?(\/\S*)?$/.test(
    text.trim(),
  );
}

export function Palette({ onClose, onHelp }: { readonly onClose: () => void; readonly onHelp: () => void }) {
  const t = useTranslations();
  const router = useRouter();
  const me = useMe();
  const [text, setText] = useState("");
  const dialog = useRef<HTMLDialogElement>(null);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    // It gives the focus to the first that takes it, which is cmdk's own frame.
    input.current?.focus();
  }, []);
  const go = (href: string) => () => {
    onClose();
    router.push(href);
  };
  const item =
    "flex min-h-9 items-center gap-2.5 rounded-md px-2.5 py-1.5 data-[selected=true]:bg-wash max-sm:min-h-11";
  const address = looksLikeAddress(text) && me.may.purgePages;
  const wide = [
    { by: "urls", label: t("ways.urls") },
    { by: "prefix", label: t("ways.prefix") },
    { by: "tag", label: t("ways.tag") },
    { by: "site", label: t("ways.site") },
    { by: "everything", label: t("ways.everything") },
  ];
  return (
    <dialog
      ref={dialog}
      aria-label={t("frame.find")}
      onClose={onClose}
      onPointerDown={(event) => {
        if (event.target === dialog.current) onClose();
      }}
      className="card mt-[12dvh] w-[calc(100vw-24px)] max-w-xl border-edge p-0"
    >
      <Command label={t("frame.find")} loop>
        <Command.Input
          ref={input}
          value={text}
          onValueChange={setText}
          placeholder={t("palette.placeholder")}
          className="w-full border-b border-line bg-transparent px-4 py-3 text-base outline-none placeholder:text-faint"
        />
        <Command.List className="max-h-[50dvh] overflow-auto p-1.5">
          <Command.Empty className="px-3 py-6 text-center text-mute">{t("palette.nothing")}</Command.Empty>
          {address && (
            <Command.Item
              forceMount
              value={`purge ${text}`}
              className={item}
              onSelect={go(`/purge?url=${encodeURIComponent(text.trim())}`)}
            >
              <PurgeIcon />
              <span className="truncate">{t("palette.purgeUrl", { url: text.trim() })}</span>
            </Command.Item>
          )}
          {looksLikeAddress(text) && me.may.operate && (
            <Command.Item
              forceMount
              value={`trace ${text}`}
              className={item}
              onSelect={go(`/routing/trace?url=${encodeURIComponent(text.trim())}`)}
            >
              <RoutingIcon />
              <span className="truncate">{t("palette.traceUrl", { url: text.trim() })}</span>
            </Command.Item>
          )}
          {text.trim() !== "" && !address && (
            <Command.Item
              forceMount
              value={`search ${text}`}
              className={item}
              onSelect={go(`/history?search=${encodeURIComponent(text.trim())}`)}
            >
              <HistoryIcon />
              <span className="truncate">{t("palette.search", { text: text.trim() })}</span>
            </Command.Item>
          )}
          <Command.Item className={item} onSelect={go("/purge")}>
            <PurgeIcon />
            {t("palette.purge")}
          </Command.Item>
          {me.may.purgeWide &&
            wide.map((way) => (
              <Command.Item
                key={way.by}
                value={`${t("rooms.purge")} ${way.label}`}
                className={item}
                onSelect={go(`/purge?by=${way.by}`)}
              >
                <PurgeIcon />
                {t("palette.purgeBy", { way: way.label })}
              </Command.Item>
            ))}
          <Command.Item className={item} onSelect={go("/incidents")}>
            <IncidentIcon />
            {t("rooms.incidents")}
          </Command.Item>
          <Command.Item className={item} onSelect={go("/services")}>
            <ServicesIcon />
            {t("rooms.services")}
          </Command.Item>
          <Command.Item className={item} onSelect={go("/services?state=down")}>
            <ServicesIcon />
            {t("palette.servicesDown")}
          </Command.Item>
          {me.may.operate && (
            <Command.Item className={item} onSelect={go("/vcl")}>
              <VclIcon />
              {t("palette.vcl")}
            </Command.Item>
          )}
          {me.may.operate && (
            <Command.Item className={item} onSelect={go("/routing")}>
              <RoutingIcon />
              {t("palette.routing")}
            </Command.Item>
          )}
          {me.may.operate && (
            <Command.Item className={item} onSelect={go("/routing/trace")}>
              <RoutingIcon />
              {t("palette.trace")}
            </Command.Item>
          )}
          {me.may.operate && (
            <Command.Item className={item} onSelect={go("/backups")}>
              <BackupIcon />
              {t("palette.backups")}
            </Command.Item>
          )}
          <Command.Item className={item} onSelect={go("/history")}>
            <HistoryIcon />
            {t("rooms.history")}
          </Command.Item>
          <Command.Item className={item} onSelect={go("/history?outcome=stale")}>
            <HistoryIcon />
            {t("palette.stale")}
          </Command.Item>
          <Command.Item className={item} onSelect={go("/settings/connections")}>
            <PlugIcon />
            {t("settings.connections")}
          </Command.Item>
          {me.may.administer && (
            <Command.Item className={item} onSelect={go("/settings/users")}>
              <UsersIcon />
              {t("settings.users")}
            </Command.Item>
          )}
          <Command.Item className={item} onSelect={go("/settings/account")}>
            <UserIcon />
            {t("settings.account")}
          </Command.Item>
          <Command.Item className={item} onSelect={go("/settings/account#keys")}>
            <KeyIcon />
            {t("account.keys")}
          </Command.Item>
          <Command.Item className={item} onSelect={go("/settings/api")}>
            <BookIcon />
            {t("settings.api")}
          </Command.Item>
          <Command.Item
            className={item}
            onSelect={() => {
              onClose();
              onHelp();
            }}
          >
            <AgainIcon />
            {t("keys.title")}
          </Command.Item>
          <Command.Item
            className={item}
            onSelect={() => void signOut().finally(() => location.assign("/sign-in"))}
          >
            <OutIcon />
            {t("act.signOut")}
          </Command.Item>
        </Command.List>
      </Command>
    </dialog>
  );
}

"use client";
// The frame around every room: sidebar, top bar, status strip; on a phone a bar at the bottom.
import dynamic from "next/dynamic";
import Link from "next/link";
import { usePathname, useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { FoldIcon, Mark, SearchIcon } from "@/components/ui/icons";
import { api } from "@/lib/api/client";
import { LiveProvider } from "@/lib/live/client";
import type { Me } from "@/lib/users/contract";
import { AccountMenu } from "./account-menu";
import { MeProvider } from "./me";
import { foldCookie, keepChoice } from "./preferences";
import { roomOf, rooms } from "./rooms";
import { StatusStrip } from "./status-strip";
import { LanguageSwitch, ThemeSwitch } from "./switchers";

const Palette = dynamic(() => import("./palette").then((module) => module.Palette), { ssr: false });
const KeysHelp = dynamic(() => import("./keys-help").then((module) => module.KeysHelp), { ssr: false });

const connect = (signal: AbortSignal) => api.live.stream(undefined, { signal });

/** True where a single key is text, not a command. */
function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName))
  );
}

/** Ctrl-K, `/`, `?` and `g` + a room's letter. No single key does any harm. */
function useKeys(open: { palette: () => void; help: () => void }) {
  const router = useRouter();
  useEffect(() => {
    let going = 0;
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        open.palette();
        return;
      }
      if (
        event.ctrlKey ||
        event.metaKey ||
        event.altKey ||
        typing(event.target) ||
        document.querySelector("dialog[open]")
      )
        return;
      if (Date.now() - going < 1200) {
        going = 0;
        const room = rooms.find((one) => one.key === event.key);
        if (room) router.push(room.href);
        return;
      }
      if (event.key === "g") going = Date.now();
      else if (event.key === "?") open.help();
      else if (event.key === "/") {
        const filter = document.querySelector<HTMLElement>("[data-filter]");
        if (filter) {
          event.preventDefault();
          filter.focus();
        }
      }
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [router, open]);
}

/** Rooms whose address is not the first part of their pages'. */
const roomHref: Readonly<Record<string, string>> = { settings: "/settings/connections", health: "/overview" };

function Breadcrumb() {
  const t = useTranslations();
  const [room = "", page, ...more] = usePathname().split("/").slice(1);
  const names: Record<string, string> = {
    overview: t("rooms.overview"),
    health: t("rooms.overview"),
    incidents: t("rooms.incidents"),
    purge: t("rooms.purge"),
    services: t("rooms.services"),
    vcl: t("rooms.vcl"),
    routing: t("rooms.routing"),
    backups: t("rooms.backups"),
    history: t("rooms.history"),
    settings: t("rooms.settings"),
  };
  const pages: Record<string, string> = {
    connections: t("settings.connections"),
    users: t("settings.users"),
    account: t("settings.account"),
    api: t("settings.api"),
    logs: t("services.logs"),
    images: t("services.images"),
    edit: t("vcl.crumbs.edit"),
    compare: t("vcl.crumbs.compare"),
    acts: t("routing.acts.title"),
    revisions: t("vcl.revisions"),
    swarm: t("swarm.title"),
    trace: t("trace.title"),
    notices: t("notices.title"),
    alerts: t("alerts.title"),
  };
  const last =
    page === undefined
      ? null
      : room === "history"
        ? t("frame.change", { id: page })
        : room === "incidents" && /^\d+$/.test(page)
          ? t("frame.incident", { id: page })
          : room === "backups"
            ? decodeURIComponent(page)
            : decodeURIComponent(pages[page] ?? more[0] ?? page);
  return (
    <nav aria-label={t("frame.breadcrumb")} className="flex min-w-0 items-center gap-2.5">
      {last === null ? (
        <span className="truncate font-semibold" aria-current="page">
          {names[room] ?? "Sluice"}
        </span>
      ) : (
        <>
          <Link
            href={roomHref[room] ?? `/${room}`}
            className="tap whitespace-nowrap text-mute hover:text-ink"
          >
            {names[room]}
          </Link>
          <span aria-hidden="true" className="text-faint">
            /
          </span>
          <span
            className={`truncate font-semibold ${room === "history" ? "font-mono text-xs" : ""}`}
            aria-current="page"
          >
            {last}
          </span>
        </>
      )}
    </nav>
  );
}

export function Frame({
  me,
  folded,
  children,
}: {
  readonly me: Me;
  readonly folded: boolean;
  readonly children: ReactNode;
}) {
  const t = useTranslations();
  const path = usePathname();
  const [narrow, setNarrow] = useState(folded);
  const [paletteOpen, setPaletteOpen] = useState(false);
  const [helpOpen, setHelpOpen] = useState(false);
  const [keys] = useState(() => ({ palette: () => setPaletteOpen(true), help: () => setHelpOpen(true) }));
  useKeys(keys);
  const closePalette = useCallback(() => setPaletteOpen(false), []);
  const links = (phone: boolean) =>
    // On a phone the bar holds six; the palette has them all.
    rooms
      .filter((room) => !("only" in room) || (!phone && me.may.operate))
      .map(({ href, label, icon: Icon }) => {
        const here = roomOf(path) === roomOf(href);
        return (
          <Link
            key={href}
            href={href}
            aria-current={here ? "page" : undefined}
            title={narrow && !phone ? t(label) : undefined}
            className={
              phone
                ? `flex min-h-14 min-w-0 flex-1 flex-col items-center justify-center gap-0.5 text-xs font-medium ${here ? "text-deep" : "text-mute"}`
                : `flex items-center gap-2.5 rounded-md px-2 py-1.5 font-medium ${here ? "bg-wash text-ink" : "text-mute hover:text-ink"} ${roomOf(href) === "settings" ? "mt-auto" : ""}`
            }
          >
            <Icon size={phone ? 20 : 16} />
            <span className={narrow && !phone ? "sr-only" : ""}>{t(label)}</span>
          </Link>
        );
      });
  return (
    <MeProvider me={me}>
      <LiveProvider connect={connect}>
        <a
          href="#main"
          className="btn btn-primary absolute top-2 left-2 z-50 -translate-y-20 focus:translate-y-0"
        >
          {t("frame.skip")}
        </a>
        <div
          className={`grid h-dvh grid-cols-1 grid-rows-[52px_minmax(0,1fr)_auto_auto] lg:grid-rows-[48px_minmax(0,1fr)_auto] ${narrow ? "lg:grid-cols-[56px_minmax(0,1fr)]" : "lg:grid-cols-[204px_minmax(0,1fr)]"}`}
        >
          <aside className="hidden flex-col border-r border-line px-2.5 py-3 lg:row-span-3 lg:flex">
            <Link
              href="/"
              className="mb-3 flex items-center gap-2 px-1.5 py-0.5 text-[15px] font-semibold tracking-tight"
            >
              <Mark />
              <span className={narrow ? "sr-only" : ""}>Sluice</span>
            </Link>
            <nav aria-label={t("frame.rooms")} className="flex flex-1 flex-col gap-0.5">
              {links(false)}
            </nav>
            <button
              type="button"
              className="mt-0.5 flex items-center gap-2.5 rounded-md px-2 py-1.5 font-medium text-mute hover:text-ink"
              aria-expanded={!narrow}
              title={narrow ? t("frame.unfold") : undefined}
              onClick={() => {
                keepChoice(foldCookie, narrow ? null : "1");
                setNarrow(!narrow);
              }}
            >
              <FoldIcon />
              <span className={narrow ? "sr-only" : ""}>{narrow ? t("frame.unfold") : t("frame.fold")}</span>
            </button>
          </aside>
          <header className="flex items-center gap-2 border-b border-line px-3 sm:gap-3.5 sm:px-5">
            <span className="lg:hidden">
              <Mark size={24} />
            </span>
            <Breadcrumb />
            <button
              type="button"
              onClick={keys.palette}
              className="ml-auto flex items-center gap-2 rounded-md border border-edge bg-pane px-2.5 py-1 text-faint hover:text-ink max-sm:min-h-11 max-sm:border-transparent max-sm:bg-transparent sm:ml-0 sm:w-72"
            >
              <SearchIcon />
              <span className="max-sm:sr-only">{t("frame.find")}</span>
              <kbd className="ml-auto max-sm:hidden">Ctrl K</kbd>
            </button>
            <div className="flex items-center sm:ml-auto">
              <LanguageSwitch />
              <ThemeSwitch />
              <AccountMenu />
            </div>
          </header>
          <main id="main" tabIndex={-1} className="relative overflow-y-auto overscroll-contain outline-none">
            {children}
          </main>
          <StatusStrip />
          <nav
            aria-label={t("frame.rooms")}
            className="flex border-t border-line bg-pane pb-[env(safe-area-inset-bottom)] lg:hidden"
          >
            {links(true)}
          </nav>
        </div>
        {paletteOpen && <Palette onClose={closePalette} onHelp={keys.help} />}
        {helpOpen && <KeysHelp onClose={() => setHelpOpen(false)} />}
      </LiveProvider>
    </MeProvider>
  );
}

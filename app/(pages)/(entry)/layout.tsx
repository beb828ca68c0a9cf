// The doors: pages one sees before being in.
import type { ReactNode } from "react";
import { LanguageSwitch, ThemeSwitch } from "@/components/frame/switchers";
import { Mark } from "@/components/ui/icons";

export default function EntryLayout({ children }: { children: ReactNode }) {
  return (
    <div className="mx-auto flex min-h-dvh max-w-[420px] flex-col px-4 pt-4 pb-10">
      <header className="flex items-center gap-2 text-base font-semibold tracking-tight">
        <Mark size={26} />
        Sluice
        <span className="ml-auto flex">
          <LanguageSwitch />
          <ThemeSwitch />
        </span>
      </header>
      <main className="mt-[8dvh]">{children}</main>
    </div>
  );
}

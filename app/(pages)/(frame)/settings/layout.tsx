// The pages of Settings share their tabs.
import type { ReactNode } from "react";
import { SettingsTabs } from "@/components/settings/tabs";

export default function SettingsLayout({ children }: { children: ReactNode }) {
  return (
    <>
      <SettingsTabs />
      <div className="mx-auto max-w-5xl px-4 py-5 sm:px-5">{children}</div>
    </>
  );
}

"use client";
// The keys, on `?`.
import { useTranslations } from "next-intl";
import { Dialog } from "@/components/ui/dialog";

const keys = [
  { keys: ["Ctrl", "K"], label: "keys.palette" },
  { keys: ["/"], label: "keys.filter" },
  { keys: ["g", "o"], label: "keys.overview" },
  { keys: ["g", "i"], label: "keys.incidents" },
  { keys: ["g", "p"], label: "keys.purge" },
  { keys: ["g", "v"], label: "keys.services" },
  { keys: ["g", "c"], label: "keys.vcl" },
  { keys: ["g", "r"], label: "keys.routing" },
  { keys: ["g", "b"], label: "keys.backups" },
  { keys: ["g", "h"], label: "keys.history" },
  { keys: ["g", "s"], label: "keys.settings" },
  { keys: ["j"], label: "keys.next" },
  { keys: ["k"], label: "keys.previous" },
  { keys: ["Enter"], label: "keys.open" },
  { keys: ["?"], label: "keys.help" },
] as const;

export function KeysHelp({ onClose }: { readonly onClose: () => void }) {
  const t = useTranslations();
  return (
    <Dialog open title={t("keys.title")} onClose={onClose}>
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-5 gap-y-2">
        {keys.map((row) => (
          <div key={row.label} className="col-span-2 grid grid-cols-subgrid items-center">
            <dt className="flex gap-1">
              {row.keys.map((key) => (
                <kbd key={key} className="rounded border border-edge bg-bg px-1.5 py-0.5">
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{t(row.label)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

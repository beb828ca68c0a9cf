// A few lines of a log as they stand: the last words of a container that died.
import { useTranslations } from "next-intl";
import { Scroll } from "@/components/ui/scroll";
import type { DeathRow } from "@/lib/services/contract";
import { piecesOf } from "./ansi";

export function LastLines({ lines, label }: { readonly lines: DeathRow["lines"]; readonly label: string }) {
  const t = useTranslations();
  if (lines.length === 0) return <p className="px-3 pb-3 text-mute">{t("services.noLastLines")}</p>;
  return (
    <Scroll label={label} className="max-h-72 overflow-y-auto border-t border-line bg-bg">
      <pre className="px-3 py-2">
        {lines.map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a death never change
          <span key={index} className={line.stream === "stderr" ? "text-down-ink" : ""}>
            {piecesOf(line.text)
              .map(({ text }) => text)
              .join("")}
            {"\n"}
          </span>
        ))}
      </pre>
    </Scroll>
  );
}

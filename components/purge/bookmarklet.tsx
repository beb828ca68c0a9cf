"use client";
// The button one drags to the bookmarks: from any page of the site to its purge in one click.
import { useTranslations } from "next-intl";
import { useState } from "react";
import { GripIcon } from "@/components/ui/icons";
import { bookmarklet } from "./words";

export function Bookmarklet() {
  const t = useTranslations();
  const [told, setTold] = useState(false);
  return (
    <div className="mt-8 hidden border-t border-line pt-4 text-sm text-mute sm:block">
      <p>{t("purge.bookmarklet.text")}</p>
      {/* biome-ignore lint/a11y/useValidAnchor: React keeps javascript: addresses out of href; a bookmark is one, so it is set on the element */}
      <a
        ref={(link) => link?.setAttribute("href", bookmarklet(location.origin))}
        href="#bookmarklet"
        draggable
        className="btn mt-2.5 cursor-grab"
        onClick={(event) => {
          event.preventDefault();
          setTold(true);
        }}
      >
        <GripIcon />
        {t("purge.bookmarklet.name")}
      </a>
      <p role="status" className="mt-2">
        {told && t("purge.bookmarklet.drag")}
      </p>
    </div>
  );
}

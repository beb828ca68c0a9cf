"use client";
// The button under a list that has older rows.
import { useTranslations } from "next-intl";

/** Nothing where there are none. `list`: an infinite query. */
export function Older({
  list,
}: {
  readonly list: {
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly fetchNextPage: () => Promise<unknown>;
  };
}) {
  const t = useTranslations();
  if (!list.hasNextPage) return null;
  return (
    <button
      type="button"
      className="btn mt-3 w-full sm:w-auto"
      disabled={list.isFetchingNextPage}
      onClick={() => void list.fetchNextPage()}
    >
      {list.isFetchingNextPage ? t("state.loading") : t("history.older")}
    </button>
  );
}

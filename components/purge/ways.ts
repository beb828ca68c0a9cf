// The ways to say what to purge, in the order of the tabs. The first is everybody's; the others are an operator's.

export const ways = ["url", "urls", "prefix", "tag", "site", "everything"] as const;
export type Way = (typeof ways)[number];

/** True for a way that exists. */
export function isWay(value: string | null): value is Way {
  return ways.some((way) => way === value);
}

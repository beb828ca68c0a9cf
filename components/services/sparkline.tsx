// A small line of the last five minutes; a gap where nothing is known.

/** `values` are as high as `top` at most; -1 is a gap. Decorative: the number beside it says the same. */
export function Sparkline({
  values,
  top,
  width = 72,
  height = 20,
}: {
  readonly values: readonly number[];
  readonly top: number;
  readonly width?: number;
  readonly height?: number;
}) {
  const highest = Math.max(top, ...values, 0.01);
  const step = width / Math.max(1, values.length - 1);
  let path = "";
  let pen = false;
  for (const [index, value] of values.entries()) {
    if (value < 0) {
      pen = false;
      continue;
    }
    const y = height - 1.5 - (value / highest) * (height - 3);
    path += `${pen ? "L" : "M"}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
    // A lone point is seen as a dot.
    if (!pen) path += "h.01";
    pen = true;
  }
  return (
    <svg aria-hidden="true" width={width} height={height} className="shrink-0 text-deep">
      <path d={`M0 ${height - 0.5}H${width}`} stroke="var(--line)" />
      {path !== "" && (
        <path
          d={path}
          fill="none"
          stroke="currentColor"
          strokeWidth="1.4"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      )}
    </svg>
  );
}

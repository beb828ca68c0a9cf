// What stands in the place of an editor that is not loaded yet.
import { Skeleton } from "@/components/ui/states";

/** A component of `rows` bars, for next/dynamic. */
export const loading = (rows: number) => () => (
  <div className="card min-h-72">
    <Skeleton rows={rows} />
  </div>
);

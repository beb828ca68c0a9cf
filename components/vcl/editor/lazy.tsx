"use client";
// The editor and the comparison, loaded only where they are shown: CodeMirror is in no other page's bundle.
import dynamic from "next/dynamic";
import { Skeleton } from "@/components/ui/states";

const loading = (rows: number) => () => (
  <div className="card min-h-72">
    <Skeleton rows={rows} />
  </div>
);

export const LazyVclEditor = dynamic(() => import("./vcl-editor").then((module) => module.VclEditor), {
  ssr: false,
  loading: loading(10),
});
export const LazyVclDiff = dynamic(() => import("./vcl-diff").then((module) => module.VclDiff), {
  ssr: false,
  loading: loading(8),
});

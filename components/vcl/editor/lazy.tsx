"use client";
// The editor and the comparison, loaded only where they are shown: CodeMirror is in no other page's bundle.
import dynamic from "next/dynamic";
import { loading } from "@/components/editor/loading";

export const LazyVclEditor = dynamic(() => import("./vcl-editor").then((module) => module.VclEditor), {
  ssr: false,
  loading: loading(10),
});
export const LazyVclDiff = dynamic(() => import("./vcl-diff").then((module) => module.VclDiff), {
  ssr: false,
  loading: loading(8),
});

"use client";
// The editor and the comparison, loaded only where they are shown: CodeMirror is in no other page's bundle.
import dynamic from "next/dynamic";
import { loading } from "@/components/editor/loading";

export const LazyYamlEditor = dynamic(() => import("./yaml-editor").then((module) => module.YamlEditor), {
  ssr: false,
  loading: loading(10),
});
export const LazyYamlDiff = dynamic(() => import("./yaml-editor").then((module) => module.YamlDiff), {
  ssr: false,
  loading: loading(8),
});

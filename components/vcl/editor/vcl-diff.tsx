"use client";
// What differs between two VCLs.
import { TextDiff } from "@/components/editor/text-diff";
import type { VclFile } from "@/lib/vcl/contract";
import { vclLanguage } from "./vcl-language";

export function VclDiff(sides: {
  readonly before: VclFile[];
  readonly after: VclFile[];
  readonly beforeLabel: string;
  readonly afterLabel: string;
}) {
  return <TextDiff language={vclLanguage} {...sides} />;
}

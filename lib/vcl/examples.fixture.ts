// For tests only: VCLs of many styles. Those of one file are files of examples/, those of several are folders with main.vcl first.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { VclFile } from "./contract";

export type VclExample = {
  readonly name: string;
  readonly files: VclFile[];
  /** What a node says that refuses it. */
  readonly refused?: RegExp;
};

const folder = join(import.meta.dirname, "examples");
const refusals: Readonly<Record<string, RegExp>> = {
  "inline-c": /Inline-C not allowed/,
  "init-fails": /the file is not there/,
};

const mainFirst = (a: string, b: string): number =>
  Number(b === "main.vcl") - Number(a === "main.vcl") || a.localeCompare(b);

function filesOf(path: string): VclFile[] {
  if (!statSync(path).isDirectory()) return [{ name: "main.vcl", text: readFileSync(path, "utf8") }];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".vcl"))
    .sort(mainFirst)
    .map((name) => ({ name, text: readFileSync(join(path, name), "utf8") }));
}

const written: VclExample[] = readdirSync(folder)
  .sort()
  .map((entry) => {
    const name = entry.replace(/\.vcl$/, "");
    const refused = refusals[name];
    return { name, files: filesOf(join(folder, entry)), ...(refused && { refused }) };
  });

/** Another one of the same text: what an editor or a checkout would change in a file of its own. */
function as(name: string, of: string, change: (text: string) => string): VclExample {
  const files = written.find((example) => example.name === of)?.files ?? [];
  return { name, files: files.map((file) => ({ ...file, text: change(file.text) })) };
}

/** A table of redirects as people write it, one `if` for each. A node compiles it for some 15 s. */
const redirects = (count: number): string => {
  const rules = Array.from(
    { length: count },
    (_, index) =>
      `    if (req.url == "/old/page-${index}.html") { return (synth(751, "/new/page-${index}")); }\n`,
  );
  return `vcl 4.1;\nbackend default none;\nsub vcl_recv {\n${rules.join("")}}\n`;
};

export const examples: readonly VclExample[] = [
  ...written,
  as("crlf", "device-detection", (text) => text.replaceAll("\n", "\r\n")),
  as("no-newline-at-end", "websockets", (text) => text.trimEnd()),
  { name: "redirects", files: [{ name: "main.vcl", text: redirects(1000) }] },
];

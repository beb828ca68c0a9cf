// Where in the structure of a YAML text a place is, by indentation: it holds while a line is half written.

/** What is typed at a place. */
export type Place = {
  /** Keys from the root on, "[]" for an entry of a list. Of "value" it ends with the key whose value this is. */
  readonly path: readonly string[];
  readonly kind: "key" | "value";
  /** The word that is being written, and where it begins. */
  readonly typed: string;
  readonly from: number;
};

type Level = { readonly column: number; readonly part: string };
const keyed = /^("[^"]*"|'[^']*'|[^\s#&*!|>%@`"'[\]{},:-][^:#]*|-[^\s:#][^:#]*):(?:\s+|$)/;
const bare = (key: string): string => key.trim().replace(/^(["'])(.*)\1$/, "$2");

/** Puts a line onto the levels above it; answers with what stands behind its last key or dash, and the column of that. */
function enter(levels: Level[], line: string): { rest: string; column: number; key: boolean } {
  let column = line.length - line.trimStart().length;
  let rest = line.slice(column);
  for (let dash = /^-(\s+|$)/.exec(rest); dash !== null; dash = /^-(\s+|$)/.exec(rest)) {
    const at = column;
    // A list may stand as far left as the key that it belongs to.
    while (levels.some((one) => one.column > at || (one.column === at && one.part === "[]"))) levels.pop();
    levels.push({ column: at, part: "[]" });
    column += dash[0].length;
    rest = line.slice(column);
  }
  const innermost = column;
  while ((levels.at(-1)?.column ?? -1) >= innermost) levels.pop();
  const key = keyed.exec(rest);
  if (key === null) return { rest, column, key: false };
  levels.push({ column, part: bare(key[1] ?? "") });
  return { rest: rest.slice(key[0].length), column: column + key[0].length, key: true };
}

const says = (line: string): boolean => !/^\s*(#|$)/.test(line);

/** What is being written at `pos`; null in a comment. */
export function placeAt(text: string, pos: number): Place | null {
  const lines = text.slice(0, pos).split("\n");
  const last = lines.pop() ?? "";
  if (/(^|\s)#/.test(last)) return null;
  const levels: Level[] = [];
  for (const line of lines) if (says(line)) enter(levels, line);
  const { rest, key } = enter(levels, last);
  const path = levels.map(({ part }) => part);
  const flow = key && rest.startsWith("[");
  const typed = (flow ? /[^[,\s]*$/.exec(rest)?.[0] : rest)?.replace(/^["']/, "") ?? "";
  return {
    path: flow ? [...path, "[]"] : path,
    kind: key ? "value" : "key",
    typed,
    from: pos - typed.length,
  };
}

/** Names that a text gives its own routers, services and middlewares, of HTTP, TCP and UDP. */
export function namesIn(text: string): Record<"routers" | "services" | "middlewares", string[]> {
  const found = { routers: [] as string[], services: [] as string[], middlewares: [] as string[] };
  const levels: Level[] = [];
  for (const line of text.split("\n")) {
    if (!says(line) || !enter(levels, line).key) continue;
    const [protocol = "", section = "", name = "", ...more] = levels.map(({ part }) => part);
    if (more.length > 0 || name === "" || !["http", "tcp", "udp"].includes(protocol)) continue;
    if (section === "routers" || section === "services" || section === "middlewares")
      found[section].push(name);
  }
  return found;
}

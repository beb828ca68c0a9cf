// Secrets that people write where everybody can read: in commands, health checks and labels. What looks like one is not shown.

const hidden = "•••";
const telling =
  /pass(?:word|wd|phrase)?|pwd|secret|token|api-?key|access-?key|private-?key|credential|requirepass|masterauth/i;

/** A command's words, with the values of telling options and of addresses with a password taken out. */
export function maskedCommand(words: readonly string[]): string {
  return words
    .map((word, index) => {
      const before = words[index - 1] ?? "";
      // --requirepass hunter2
      if (/^-{1,2}[\w-]+$/.test(before) && telling.test(before) && !word.startsWith("-")) return hidden;
      return maskedText(word);
    })
    .join(" ");
}

/** A text with `password=…`, `--token …` and `scheme://user:…@` taken out. */
export function maskedText(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s@/]+@/gi, `$1:${hidden}@`)
    .replace(
      /((?:--?|\b)[\w-]*(?:pass(?:word|wd|phrase)?|pwd|secret|token|api-?key|access-?key|requirepass|masterauth)[\w-]*)(\s*[=:]\s*|\s+)("[^"]*"|'[^']*'|[^\s"']+)/gi,
      (whole, name: string, between: string) =>
        // "password expired" in plain words is no option; "--password x" and "password=x" are.
        /[=:]/.test(between) || name.startsWith("-") ? `${name}${between}${hidden}` : whole,
    );
}

/** Labels, with the values of those that hold credentials taken out: Traefik's basic and digest users among them. */
export function maskedLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, value]) => [
        name,
        /(?:basic|digest)auth\.users$|authorization/i.test(name) || telling.test(name)
          ? hidden
          : maskedText(value),
      ]),
  );
}

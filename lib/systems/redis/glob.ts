// Redis' glob patterns: a text that must match itself, and nothing else, has its special characters escaped.

/** The text as a pattern that matches only the text. */
export const globEscape = (text: string): string => text.replace(/[\\*?[\]^-]/g, "\\$&");

/** Whether a key template, as written in sluice.yaml, is a pattern. */
export const isPattern = (template: string): boolean => /(^|[^\\])(\\\\)*[*?[]/.test(template);

/**
 * A key template with its {names} filled in. When the template itself is a pattern the values are escaped, so that an address
 * with a * in it stays an address; else the key is used as it is. `{path}` and `{path|encoded}` as in sites' expansions.
 */
export function fillKey(
  template: string,
  values: Readonly<Record<string, string>>,
): { key: string; pattern: boolean } {
  const pattern = isPattern(template);
  const key = template.replace(
    /\{([a-z_]+)(\|encoded)?\}/g,
    (whole, name: string, encoded: string | undefined) => {
      const value = values[name];
      if (value === undefined) return whole;
      const text = encoded ? encodeURIComponent(value) : value;
      return pattern ? globEscape(text) : text;
    },
  );
  return { key, pattern };
}

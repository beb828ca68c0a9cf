// A pattern as a ban can carry it, over HTTP and over the CLI alike.
import { AppError } from "../../errors/app-error";

/**
 * A regex as a single word. White space, quotes and ampersands become \xNN, which PCRE reads as the same character, in a class
 * too: Varnish splits a ban at its spaces once more after it has undone the quotes, so that a space would begin a new condition.
 * Throws AppError INVALID_INPUT for what cannot be written so.
 */
export function banRegex(regex: string): string {
  const unsayable = regex === "" || regex.length > 2000 || /[^\x20-\x7e]/.test(regex);
  // Quoted runs, extended mode (where a space is no space), verbs, and a backslash with nothing to escape.
  const unsafe = /\\[QEc]|\(\?[a-zA-Z^-]*x|\(\*/.test(regex) || /(^|[^\\])(\\\\)*\\$/.test(regex);
  if (unsayable || unsafe) {
    throw new AppError(
      "INVALID_INPUT",
      "The pattern is empty, too long (2000), or holds what a ban cannot carry.",
      {
        problem: "varnish.regex",
        field: "regex",
      },
    );
  }
  // An escaped one loses its backslash with it: "\&" and "&" are the same.
  return regex.replace(/\\?[\s"'&]|\\[\s\S]/g, (part) => {
    const last = part.at(-1) ?? "";
    return /[\s"'&]/.test(last) ? `\\x${last.charCodeAt(0).toString(16).padStart(2, "0")}` : part;
  });
}

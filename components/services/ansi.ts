// Terminal colours of a line as pieces of text with their style; everything else that a terminal understands is left out.

export type Piece = {
  readonly text: string;
  /** Foreground, as one of the sixteen names, or null. */
  readonly colour: Colour | null;
  readonly bold: boolean;
  readonly dim: boolean;
};
export const colours = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"] as const;
export type Colour = (typeof colours)[number];

const controls =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they are
  /\u001b(?:\[([0-9;]*)m|\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])|[\u0000-\u0008\u000b-\u001a\u001c-\u001f]/g;

/** The pieces of a line (ECMA-48, SGR). Of 256 and true colours only the nearest of the sixteen is kept, where there is one. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let style: Omit<Piece, "text"> = { colour: null, bold: false, dim: false };
  let from = 0;
  for (const match of text.matchAll(controls)) {
    if (match.index > from) pieces.push({ ...style, text: text.slice(from, match.index) });
    from = match.index + match[0].length;
    if (match[1] !== undefined) style = styled(style, match[1].split(";").map(Number));
  }
  if (from < text.length) pieces.push({ ...style, text: text.slice(from) });
  return pieces;
}

function styled(before: Omit<Piece, "text">, codes: readonly number[]): Omit<Piece, "text"> {
  let style = before;
  for (let index = 0; index < codes.length; index++) {
    const code = codes[index] ?? 0;
    if (code === 0) style = { colour: null, bold: false, dim: false };
    else if (code === 1) style = { ...style, bold: true };
    else if (code === 2) style = { ...style, dim: true };
    else if (code === 22) style = { ...style, bold: false, dim: false };
    else if (code === 39) style = { ...style, colour: null };
    else if (code >= 30 && code <= 37) style = { ...style, colour: colours[code - 30] ?? null };
    else if (code >= 90 && code <= 97) style = { ...style, colour: colours[code - 90] ?? null };
    else if (code === 38 || code === 48) {
      const isIndex = codes[index + 1] === 5;
      const value = codes[index + 2] ?? -1;
      if (code === 38)
        style = { ...style, colour: isIndex && value < 16 ? (colours[value % 8] ?? null) : null };
      index += isIndex ? 2 : 4;
    }
  }
  return style;
}

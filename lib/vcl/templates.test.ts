// The templates' protocol is the recommended VCL's own, word for word: what is mended in one is mended in both.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { closing } from "./statements";
import { sluiceVcl } from "./templates/sluice";
import { tokensOf } from "./tokens";

/** The words of a sub. */
function wordsOf(text: string, sub: string): string {
  const tokens = tokensOf(text).filter(({ type }) => type !== "comment");
  const at = tokens.findIndex((token, index) => token.text === "sub" && tokens[index + 1]?.text === sub);
  expect(at, sub).toBeGreaterThanOrEqual(0);
  return tokens
    .slice(at, closing(tokens, at + 2) + 1)
    .map((token) => token.text)
    .join(" ");
}

test.each(
  "vcl_init normalise_request sluice_verb sluice_ban vcl_hit vcl_miss vcl_pass vcl_deliver vcl_synth".split(
    " ",
  ),
)("sub %s", (sub) => {
  const recommended = readFileSync("lab/images/varnish/default.vcl", "utf8");
  expect(wordsOf(sluiceVcl, sub)).toBe(wordsOf(recommended, sub));
});

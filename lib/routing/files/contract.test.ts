// What may be asked of a Traefik's files over the API.
import { expect, test } from "vitest";
import { applyInput, applyRequest, configFiles } from "./contract";

test("nobody agrees to everything at once, or to files that were not looked at", () => {
  const asked = { traefik: "edge", revision: 3, expected: "hash", acceptAll: true };
  expect(applyRequest.parse(asked)).not.toHaveProperty("acceptAll");
  // What the kind makes of that.
  expect(applyInput.parse(applyRequest.parse(asked)).acceptAll).toBe(false);
  expect(applyRequest.safeParse({ ...asked, expected: undefined }).success).toBe(false);
});

test("files are counted in bytes, as they lie on the disk", () => {
  const of = (text: string) => configFiles.safeParse([{ name: "a.yml", text }]).success;
  expect([of("a".repeat(2_000_000)), of("é".repeat(1_000_001))]).toEqual([true, false]);
});

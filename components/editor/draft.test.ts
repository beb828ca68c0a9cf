// Drafts in a browser's own store.
import { afterEach, expect, test, vi } from "vitest";
import * as z from "zod";
import { draftsOf, dropAllDrafts } from "./draft";

/** As a browser's: what is kept are its own properties. */
class Store {
  [key: string]: unknown;
  getItem(key: string) {
    return (this[key] as string | undefined) ?? null;
  }
  setItem(key: string, value: string) {
    this[key] = value;
  }
  removeItem(key: string) {
    delete this[key];
  }
}
afterEach(() => vi.unstubAllGlobals());

test("who signs out leaves no draft, and the rest of what is kept", () => {
  const store = new Store();
  vi.stubGlobal("localStorage", store);
  const drafts = draftsOf("vcl", z.object({ text: z.string() }));
  drafts.keep("pair 3", { text: "a" });
  store.setItem("sluice.theme", "dark");
  expect(drafts.read("pair 3")).toEqual({ text: "a" });
  dropAllDrafts();
  expect(drafts.read("pair 3")).toBeNull();
  expect(store.getItem("sluice.theme")).toBe("dark");
});

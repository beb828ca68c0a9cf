// Two kinds of tests: pure units, and those that need the reference stack (*.stack.test.ts).
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL(".", import.meta.url));
const skipped = ["**/node_modules/**", "**/.next/**", "**/.lab/**", "e2e/**"];

export default defineConfig({
  resolve: { alias: { "@": root.replace(/\/$/, "") } },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["**/*.test.{ts,tsx,mjs}"],
          exclude: [...skipped, "**/*.stack.test.ts"],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: "stack",
          include: ["**/*.stack.test.ts"],
          exclude: skipped,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // One stack for all: a fault set by one file must not be seen by another.
          fileParallelism: false,
        },
      },
    ],
  },
});

// End-to-end tests: a production build of Sluice on the reference stack, both started by scripts/test.mjs.
import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const chromium = process.env.SLUICE_CHROMIUM ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  // One Sluice and one stack for all: tests that purge at the same time would see each other's pages.
  workers: 1,
  fullyParallel: false,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: {
    baseURL: process.env.SLUICE_E2E_URL ?? "http://localhost:3000",
    locale: "en-GB",
    timezoneId: "Europe/Paris",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      ...(existsSync(chromium) ? { executablePath: chromium } : {}),
      // Chromium's sandbox refuses to work for root.
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
  },
  projects: [
    { name: "people", testMatch: "people.setup.ts" },
    { name: "chromium", testMatch: "*.spec.ts", dependencies: ["people"] },
    // Not a test: SLUICE_PICTURES=docs/images npx playwright test --project pictures draws them anew.
    ...(process.env.SLUICE_PICTURES
      ? [{ name: "pictures", testMatch: "pictures.ts", dependencies: ["people"] }]
      : []),
  ],
});

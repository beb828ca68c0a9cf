// A Chromium for the browser tests: the one that is there, or Debian's.
import { existsSync } from "node:fs";
import { aptInstall, canInstall } from "./apt.mjs";
import { CannotHave, step } from "./steps.mjs";

const places = [
  process.env.SLUICE_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const find = () => places.find((path) => path && existsSync(path));

/** @returns {Promise<string>} the browser's path */
export async function ensureChromium() {
  const there = find();
  if (there) return there;
  if (canInstall()) {
    await step("installing Chromium", () => aptInstall(["chromium", "fonts-dejavu-core"]));
    const installed = find();
    if (installed) return installed;
  }
  throw new CannotHave(
    "Chromium",
    "none was found, and it is installed by itself only on Debian as root",
    "Install Chromium or Chrome and name it in SLUICE_CHROMIUM, then run this again.",
  );
}

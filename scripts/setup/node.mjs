// The Node that runs us must be new enough before anything else is tried.
import { CannotHave } from "./steps.mjs";

/** Lowest Node that every dependency takes. */
const lowest = { major: 20, minor: 19 };

export function ensureNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > lowest.major || (major === lowest.major && minor >= lowest.minor)) return;
  throw new CannotHave(
    `Node ${lowest.major}.${lowest.minor} or newer`,
    `this is Node ${process.versions.node}`,
    "Install a newer Node (https://nodejs.org or your system's packages), then run this again.",
  );
}

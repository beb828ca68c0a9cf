// Where things are in the checkout.
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
export const labState = process.env.SLUICE_LAB_STATE ?? join(root, ".lab");

/** A program of node_modules, without npx's start-up. @param {string} name */
export const bin = (name) => join(root, "node_modules", ".bin", name);

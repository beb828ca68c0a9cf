// Which build this is: a page from another build is told to reload.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../../package.json";
import { singleton } from "./singleton";

/** The version, with Next's build id where there is a build: "0.1.0+x7Kq". */
export function version(): string {
  return singleton("runtime.version", () => {
    try {
      const build = readFileSync(
        join(/* turbopackIgnore: true */ process.cwd(), ".next", "BUILD_ID"),
        "utf8",
      ).trim();
      return `${packageJson.version}+${build}`;
    } catch {
      return packageJson.version;
    }
  });
}

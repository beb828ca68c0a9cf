// npm run build: the production build, whatever was built before.
import { ensureBuild } from "./setup/build.mjs";
import { ensureNode } from "./setup/node.mjs";
import { ensureNpmPackages } from "./setup/npm-packages.mjs";
import { runMain } from "./setup/steps.mjs";

await runMain(async () => {
  ensureNode();
  await ensureNpmPackages();
  await ensureBuild({ force: true });
  return 0;
});

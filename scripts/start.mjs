// npm start: Sluice on the user's own sluice.yaml, or with none at all.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { ensureBuild, serverFile } from "./setup/build.mjs";
import { ensureNode } from "./setup/node.mjs";
import { ensureNpmPackages } from "./setup/npm-packages.mjs";
import { refuseTakenPort, serverEnvironment } from "./setup/sluice.mjs";
import { CannotHave, runMain, say } from "./setup/steps.mjs";

await runMain(async () => {
  ensureNode();
  const port = Number(process.env.PORT ?? 3000);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new CannotHave("the port", `PORT is "${process.env.PORT}"`, "Give a number from 1 to 65535.");
  // Only this machine, unless told otherwise: a dashboard is not for the whole network by accident.
  const host = process.env.HOST ?? "localhost";
  await refuseTakenPort(port, host, "npm start");
  await ensureNpmPackages();
  await ensureBuild();
  const env = serverEnvironment({ port, host });
  say(
    existsSync(env.SLUICE_CONFIG)
      ? `configuration: ${env.SLUICE_CONFIG}`
      : `no configuration yet: ${env.SLUICE_CONFIG} is not there (sluice.example.yaml explains every key)`,
  );
  say(`data: ${env.SLUICE_DATA}`);
  const child = spawn(process.execPath, [serverFile], { env, stdio: "inherit" });
  // A terminal's Ctrl-C reaches the child by itself; a supervisor's signal only us.
  for (const signal of /** @type {const} */ (["SIGTERM", "SIGINT", "SIGHUP"]))
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  return new Promise((resolve) => {
    child.once("exit", (code, signal) =>
      resolve(signal === "SIGTERM" || signal === "SIGINT" ? 0 : (code ?? 1)),
    );
    child.once("error", () => resolve(127));
  });
});

// What several suites share: the Engine, the stack, the running Sluice. Each is made once, and only when asked for.
import { rmSync } from "node:fs";
import { engineVersion } from "../../lab/run/engine.mjs";
import { readStack } from "../../lab/run/stack.mjs";
import { ensureBuild } from "../setup/build.mjs";
import { ensureChromium } from "../setup/chromium.mjs";
import { engine, ensureLab, filesOf, releaseEngine, removeLab, removeLeftovers } from "../setup/lab.mjs";
import { freePort, startSluice } from "../setup/sluice.mjs";
import { CannotHave, say } from "../setup/steps.mjs";
import { ensureTestTools } from "../setup/test-tools.mjs";

/** @template T @param {() => Promise<T>} make @returns {() => Promise<T>} */
function once(make) {
  /** @type {Promise<T> | undefined} */
  let made;
  return () => {
    made ??= make();
    return made;
  };
}

export class Resources {
  project = process.env.SLUICE_TEST_PROJECT ?? "test";
  files = filesOf(this.project);
  /** @type {(() => Promise<unknown>)[]} undone last first */
  #undo = [];
  #keep;

  /** @param {{keep: boolean}} options keep: leave everything running */
  constructor({ keep }) {
    this.#keep = keep;
  }

  /** Throws CannotHave where there is no Engine. */
  engine = once(async () => {
    const before = await engineVersion();
    const found = await engine();
    if (!found.available) throw new CannotHave("Docker Engine", found.reason, found.hint);
    if (!before.version) this.#undo.push(releaseEngine);
    return found;
  });

  /** The ports of Sluice and its gateway in this run. */
  ports = once(async () => ({ sluice: await freePort(), gateway: await freePort() }));

  stack = once(async () => {
    await this.engine();
    const ports = await this.ports();
    // A run that was killed has left its volumes, with passwords that nobody knows any more.
    if (!readStack(this.project)) await removeLeftovers(this.project);
    this.#undo.push(() => removeLab(this.project));
    return ensureLab({
      project: this.project,
      gatewayPort: ports.gateway,
      url: `http://localhost:${ports.sluice}`,
    });
  });

  build = once(() => ensureBuild());
  chromium = once(() => ensureChromium());
  testTools = once(() => ensureTestTools());

  /** The production build of Sluice on the stack, with an empty database. */
  sluice = once(async () => {
    await this.stack();
    await this.build();
    rmSync(this.files.data, { recursive: true, force: true });
    const sluice = await startSluice({
      port: (await this.ports()).sluice,
      dataDir: this.files.data,
      config: this.files.config,
      logFile: this.files.log,
      // Kept ones must not keep this program from ending.
      detached: this.#keep,
    });
    this.#undo.push(() => sluice.stop());
    return sluice;
  });

  async release() {
    if (this.#keep) {
      say(`kept: ${this.files.folder}`);
      return;
    }
    for (const undo of this.#undo.reverse()) {
      try {
        await undo();
      } catch (error) {
        say(`not taken down: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}

// The configuration in force: read once, watched, read again when it changes. A bad file keeps the last good one.
import { readFileSync, statSync, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { configFile } from "../db/location";
import { singleton } from "../runtime/singleton";
import { type ConfigProblem, parseConfig } from "./parse";
import { type Config, configSchema } from "./schema";

export type ConfigState = {
  /** The file, or null when there is none (everything is at its default). */
  readonly file: string | null;
  /** The first thing wrong with the file as it is now; the configuration in force is then an older one. */
  readonly error: ConfigProblem | null;
  /** All that is wrong with it. */
  readonly problems: readonly ConfigProblem[];
  /** When the configuration in force was read, UTC ms since the epoch. */
  readonly loadedAt: number;
};

type Listener = (config: Config) => void;
const debounceMs = 100;
const pollMs = 2000;

/** Loads one file and keeps what it says. `config()` and its companions are the process's own. */
export class ConfigSource {
  readonly #file: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #listeners = new Set<Listener>();
  #config: Config = configSchema.parse({});
  #state: ConfigState;
  #secretFiles: readonly string[] = [];
  #fingerprint = "";
  /** Whether what is in force came from the file. */
  #loaded = false;

  constructor(file: string, env: Readonly<Record<string, string | undefined>> = process.env) {
    this.#file = file;
    this.#env = env;
    this.#state = { file: null, error: null, problems: [], loadedAt: Date.now() };
    this.reload();
  }

  get config(): Config {
    return this.#config;
  }

  get state(): ConfigState {
    return this.#state;
  }

  /** Calls `listener` after each change of the configuration in force or of its state; returns the way to stop. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads the file again. */
  reload(): void {
    let text: string;
    try {
      text = readFileSync(/* turbopackIgnore: true */ this.#file, "utf8");
    } catch (error) {
      this.#unreadable((error as NodeJS.ErrnoException).code ?? "unknown");
      return;
    } finally {
      this.#fingerprint = this.#look();
    }
    const parsed = parseConfig(text, this.#file, this.#env);
    this.#secretFiles = parsed.secretFiles;
    this.#fingerprint = this.#look();
    if (parsed.ok)
      this.#keep(parsed.config, { file: this.#file, error: null, problems: [], loadedAt: Date.now() });
    else this.#reject(parsed.problems, this.#file);
  }

  /** Watches the file, and the files of secrets it names, until the returned function is called. */
  watch(): () => void {
    let timer: NodeJS.Timeout | undefined;
    const soon = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => this.reload(), debounceMs);
    };
    // The folder, not the file: editors write a new file and rename it over the old one.
    const watcher = (() => {
      try {
        return watch(dirname(this.#file), { persistent: false }, (_event, name) => {
          if (name === null || name === basename(this.#file)) soon();
        }).on("error", () => {});
      } catch {
        return null;
      }
    })();
    // Network file systems and mounted secrets send no events.
    const poll = setInterval(() => {
      if (this.#look() !== this.#fingerprint) soon();
    }, pollMs);
    poll.unref();
    return () => {
      clearTimeout(timer);
      clearInterval(poll);
      watcher?.close();
    };
  }

  #unreadable(code: string): void {
    const loaded = this.#loaded;
    if (code === "ENOENT" && !loaded) {
      this.#keep(this.#config, { file: null, error: null, problems: [], loadedAt: this.#state.loadedAt });
      return;
    }
    const why =
      code === "ENOENT"
        ? "is not there"
        : code === "EACCES"
          ? "may not be read by the user Sluice runs as"
          : `cannot be read (${code})`;
    const then = loaded ? "what it said before stays in force" : "everything is at its default";
    this.#reject([{ message: `${this.#file} ${why}; ${then}.` }], loaded ? this.#file : null);
  }

  #reject(problems: readonly ConfigProblem[], file: string | null): void {
    const error = problems[0] ?? null;
    if (JSON.stringify(problems) === JSON.stringify(this.#state.problems)) return;
    this.#state = { ...this.#state, file, error, problems };
    this.#tell();
  }

  #keep(config: Config, state: ConfigState): void {
    const same = JSON.stringify(config) === JSON.stringify(this.#config);
    const changed = !same || state.error !== this.#state.error || state.file !== this.#state.file;
    if (!same) this.#config = config;
    this.#loaded = state.file !== null;
    this.#state = state;
    if (changed) this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.#config);
  }

  /** What would be another after a change: time, size and number of each file. */
  #look(): string {
    return [this.#file, ...this.#secretFiles]
      .map((file) => {
        try {
          const { mtimeMs, size, ino } = statSync(/* turbopackIgnore: true */ file);
          return `${mtimeMs} ${size} ${ino}`;
        } catch {
          return "none";
        }
      })
      .join("|");
  }
}

/** The process's configuration source. */
export function configSource(): ConfigSource {
  return singleton("config", () => new ConfigSource(configFile()));
}

/** The configuration in force. */
export function config(): Config {
  return configSource().config;
}

/** Where it came from, and what is wrong with the file as it is now. */
export function configState(): ConfigState {
  return configSource().state;
}

/** Calls `listener` after each change; returns the way to stop. */
export function onConfig(listener: Listener): () => void {
  return configSource().onChange(listener);
}

/** A problem as one line for the console: "sluice.yaml:12:5 sites.0.name: …". */
export function describeProblem(problem: ConfigProblem, file: string | null): string {
  const place =
    problem.line === undefined
      ? ""
      : `:${problem.line}${problem.column === undefined ? "" : `:${problem.column}`}`;
  return problem.line === undefined ? problem.message : `${file ?? "sluice.yaml"}${place} ${problem.message}`;
}

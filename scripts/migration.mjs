// Makes prisma/migrations/<stamp>_<name>/ from the difference between the last migration's schema and prisma/schema.prisma.
// `node scripts/migration.mjs NAME` adds one; `node scripts/migration.mjs --replace` writes the last one anew (before a release).
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import { bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const folder = join(root, "prisma", "migrations");
/** What follows this line in a migration.sql was written by hand (triggers, FTS5) and is kept by --replace. */
const byHand = "-- By hand:";

/** Prisma's schema engine as WebAssembly: its package expects a bundler to load the .wasm, so it is done here. */
async function schemaEngine() {
  const directory = dirname(createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm"));
  const glue = await import(pathToFileURL(join(directory, "schema_engine_bg.js")).href);
  const { instance } = await WebAssembly.instantiate(readFileSync(join(directory, "schema_engine_bg.wasm")), {
    "./schema_engine_bg.js": glue,
  });
  glue.__wbg_set_wasm(instance.exports);
  /** @type {any} */ (instance.exports).__wbindgen_start();
  const adapter = bindMigrationAwareSqlAdapterFactory(new PrismaBetterSqlite3({ url: ":memory:" }));
  return glue.SchemaEngine.new({ datamodels: undefined }, () => {}, adapter);
}

/** @param {string} file */
const datamodel = (file) => ({
  tag: "schemaDatamodel",
  files: [{ path: file, content: readFileSync(file, "utf8") }],
});

const [argument] = process.argv.slice(2);
if (!argument || (argument.startsWith("--") && argument !== "--replace")) {
  process.stderr.write("usage: node scripts/migration.mjs NAME | --replace\n");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();
const replaced = argument === "--replace" ? names.pop() : undefined;
const before = names.at(-1);
const stamp = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
const name = replaced ?? `${stamp}_${argument.replaceAll(/\W+/g, "_")}`;
const file = join(folder, name, "migration.sql");
const schema = join(root, "prisma", "schema.prisma");

const engine = await schemaEngine();
const { stdout } = await engine.diff({
  from: before ? datamodel(join(folder, before, "schema.prisma")) : { tag: "empty" },
  to: datamodel(schema),
  script: true,
  exitCode: null,
  filters: { externalTables: [], externalEnums: [] },
});
const kept = existsSync(file) ? readFileSync(file, "utf8").split(byHand)[1] : undefined;
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${stdout.trim()}\n${kept === undefined ? "" : `\n${byHand}${kept}`}`);
// The schema as of this migration: the next difference starts from it.
writeFileSync(join(folder, name, "schema.prisma"), readFileSync(schema));
process.stdout.write(`${file}\nNow: node scripts/generate.mjs\n`);
process.exit(0);

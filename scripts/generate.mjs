// Writes generated/: Prisma's client, and the migrations as a module (so that the program carries them wherever it is built to).
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs `prisma generate` without the schema engine, which Prisma would download and which is never used here. */
function generateClient() {
  const cli = join(
    dirname(createRequire(import.meta.url).resolve("prisma/package.json")),
    "build",
    "index.js",
  );
  const temporary = mkdtempSync(join(tmpdir(), "sluice-generate-"));
  // Prisma only looks whether the engine's file is there: an empty one will do on every platform.
  const noEngine = join(temporary, "schema-engine");
  writeFileSync(noEngine, "", { mode: 0o755 });
  try {
    const { status, error } = spawnSync(process.execPath, [cli, "generate"], {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: noEngine, PRISMA_HIDE_UPDATE_MESSAGE: "1" },
    });
    if (error) throw error;
    if (status !== 0) process.exit(status ?? 1);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Writes every prisma/migrations/<name>/migration.sql, in order, into generated/migrations.ts. */
function embedMigrations() {
  const folder = join(root, "prisma", "migrations");
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, "migration.sql")))
    .map((entry) => entry.name)
    .sort();
  const migrations = names.map((name) => ({
    name,
    sql: readFileSync(join(folder, name, "migration.sql"), "utf8"),
  }));
  mkdirSync(join(root, "generated"), { recursive: true });
  writeFileSync(
    join(root, "generated", "migrations.ts"),
    `// Written by scripts/generate.mjs from prisma/migrations.\nexport const migrations: readonly { readonly name: string; readonly sql: string }[] = ${JSON.stringify(migrations, null, 2)};\n`,
  );
}

generateClient();
embedMigrations();

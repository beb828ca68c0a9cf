// A process of its own that is killed while it indexes: `kill.fixture.ts <file>` says "middle" and then waits for it.

import { listing } from "./listing.fixture";
import { openIndex } from "./open";

const [file = ""] = process.argv.slice(2);
const index = openIndex(file);
const { signal } = new AbortController();

async function* stalling() {
  let count = 0;
  for await (const node of listing(30_000, 2)) {
    count += 1;
    // Two transactions were written by then.
    if (count === 25_000) {
      process.stdout.write("middle\n");
      await new Promise(() => setInterval(() => {}, 1000));
    }
    yield node;
  }
}

async function run(): Promise<void> {
  await index.add(
    { id: "one", time: "2026-01-01T00:00:00Z", host: "web", paths: ["/srv"] },
    listing(30_000, 1),
    signal,
  );
  await index.add(
    { id: "two", time: "2026-01-02T00:00:00Z", host: "web", paths: ["/srv"] },
    stalling(),
    signal,
  );
}
void run();

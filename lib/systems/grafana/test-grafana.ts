// For tests only: what Grafana's API of annotations takes and refuses, with faults on demand. Grafana itself cannot be run everywhere.
import type { IncomingMessage, ServerResponse } from "node:http";
import * as z from "zod";
import { web } from "../test-server";

const fields = {
  dashboardUID: z.string().optional(),
  panelId: z.int().optional(),
  time: z.int().positive(),
  timeEnd: z.int().positive().optional(),
  tags: z.array(z.string().max(100)).optional(),
  text: z.string().min(1),
};
const create = z.strictObject(fields);
const patch = z.strictObject(fields).partial();
type Stored = z.infer<typeof create> & { id: number };

export type TestGrafana = {
  readonly url: string;
  readonly annotations: Map<number, Stored>;
  /** Every call, as "POST /api/annotations 200". */
  readonly calls: string[];
  /** Instead of an answer: a status, or no answer after the work is done. */
  fault: number | "lost" | null;
};

/** One that knows this token. A token that begins with "reader" may read only. */
export async function testGrafana(token: string): Promise<TestGrafana> {
  const handle = async (request: IncomingMessage): Promise<[number, unknown]> => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://grafana");
    const { authorization } = request.headers;
    if (authorization !== `Bearer ${token}`) return [401, { message: "Invalid API key" }];
    const id = /^\/api\/annotations(?:\/(\d+))?$/.exec(pathname);
    if (id === null) return [404, { message: "Not found" }];
    if (request.method === "GET") {
      const tags = searchParams.getAll("tags");
      const all = [...self.annotations.values()].filter((one) =>
        tags.every((tag) => one.tags?.includes(tag)),
      );
      return [200, all.reverse().slice(0, Number(searchParams.get("limit") ?? 100))];
    }
    if (token.startsWith("reader")) return [403, { message: "You'll need additional permissions" }];
    if (request.headers["content-type"] !== "application/json") return [415, { message: "bad media type" }];
    let text = "";
    for await (const chunk of request) text += chunk;
    const body: unknown = JSON.parse(text);
    if (request.method === "POST" && id[1] === undefined) {
      const parsed = create.safeParse(body);
      if (!parsed.success)
        return [400, { message: "Failed to save annotation", error: "text field should not be empty" }];
      const made = Math.max(0, ...self.annotations.keys()) + 1;
      self.annotations.set(made, { ...parsed.data, id: made });
      return [200, { message: "Annotation added", id: made }];
    }
    if (request.method === "PATCH") {
      const parsed = patch.safeParse(body);
      if (!parsed.success) return [400, { message: "bad request data" }];
      const before = self.annotations.get(Number(id[1]));
      if (before === undefined) return [404, { message: "Annotation not found" }];
      const { time = before.time, text: words = before.text, ...more } = parsed.data;
      self.annotations.set(before.id, { ...before, ...more, time, text: words });
      return [200, { message: "Annotation patched" }];
    }
    return [404, { message: "Not found" }];
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const note = (status: number | string) => self.calls.push(`${request.method} ${request.url} ${status}`);
    const { fault } = self;
    if (typeof fault === "number") {
      note(fault);
      response.writeHead(fault).end(JSON.stringify({ message: "fault" }));
      return;
    }
    void handle(request).then(([status, body]) => {
      note(fault ?? status);
      if (fault === null)
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  };
  const self: TestGrafana = { url: await web(answer), annotations: new Map(), calls: [], fault: null };
  return self;
}

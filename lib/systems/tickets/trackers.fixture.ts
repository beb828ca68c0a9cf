// For tests only: GitLab, GitHub and Jira as far as tickets go, refusing what the real ones document that they refuse.
import { web } from "../test-server";

type Issue = {
  id: number;
  title: string;
  body: string;
  labels: string[];
  open: boolean;
  createdAt: string;
  comments: string[];
};
type Reply = { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> };
type Call = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Record<string, unknown>;
};
export type TrackerStub = {
  readonly url: string;
  readonly issues: Issue[];
  /** "POST /path", in order. */
  readonly calls: string[];
  /** Answers for the next calls, whatever they ask. "lost": it is done, and the answer never comes. */
  readonly next: (Reply | "lost")[];
};

const reply = (status: number, body?: unknown): Reply => ({ status, body });

async function stub(answer: (call: Call, issues: Issue[], url: () => string) => Reply): Promise<TrackerStub> {
  const issues: Issue[] = [];
  const calls: string[] = [];
  const next: (Reply | "lost")[] = [];
  const url = await web((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
      const method = request.method ?? "";
      calls.push(`${method} ${pathname}`);
      const text = Buffer.concat(chunks).toString("utf8");
      const call: Call = {
        method,
        path: pathname,
        query: searchParams,
        headers: request.headers,
        body: text === "" ? {} : JSON.parse(text),
      };
      const planned = next.shift();
      const given = planned === undefined || planned === "lost" ? answer(call, issues, () => url) : planned;
      if (planned === "lost") {
        response.destroy();
        return;
      }
      response
        .writeHead(given.status, { "content-type": "application/json", ...given.headers })
        .end(given.body === undefined ? "" : JSON.stringify(given.body));
    });
  });
  return { url, issues, calls, next };
}

const newIssue = (issues: Issue[], more: Pick<Issue, "title" | "body" | "labels">): Issue => {
  const one = {
    ...more,
    id: issues.length + 1,
    open: true,
    createdAt: new Date().toISOString(),
    comments: [],
  };
  issues.push(one);
  return one;
};
const newestWith = (issues: readonly Issue[], label: string): Issue[] =>
  issues.filter(({ labels }) => labels.includes(label)).toReversed();
const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** docs.gitlab.com/api/issues: the project "group/app", the token "glpat-1". */
export const gitlabStub = (): Promise<TrackerStub> =>
  stub(({ method, path, query, headers, body }, issues, url) => {
    if (headers["private-token"] !== "glpat-1") return reply(401, { message: "401 Unauthorized" });
    const found = /^\/api\/v4\/projects\/group%2Fapp\/issues(?:\/(\d+)(\/notes)?)?$/.exec(path);
    if (found === null) return reply(404, { message: "404 Project Not Found" });
    const shown = (one: Issue) => ({
      id: 1000 + one.id,
      iid: one.id,
      web_url: `${url()}/group/app/-/issues/${one.id}`,
      state: one.open ? "opened" : "closed",
      created_at: one.createdAt,
    });
    const [, id, notes] = found;
    if (id === undefined) {
      if (method === "GET") return reply(200, newestWith(issues, query.get("labels") ?? "").map(shown));
      if (text(body.title) === "") return reply(400, { error: "title is missing" });
      if (text(body.title).length > 255)
        return reply(400, { message: { title: ["is too long (maximum is 255 characters)"] } });
      const labels = text(body.labels).split(",");
      return reply(
        201,
        shown(newIssue(issues, { title: text(body.title), body: text(body.description), labels })),
      );
    }
    const one = issues.find((issue) => issue.id === Number(id));
    if (one === undefined) return reply(404, { message: "404 Not found" });
    if (notes !== undefined) {
      if (method === "GET")
        return reply(
          200,
          one.comments.map((note) => ({ body: note })),
        );
      if (text(body.body) === "") return reply(400, { error: "body is missing" });
      one.comments.push(text(body.body));
      return reply(201, { id: 1, body: body.body });
    }
    if (method === "PUT") {
      if (body.state_event !== "close" && body.state_event !== "reopen")
        return reply(400, { error: "state_event does not have a valid value" });
      one.open = body.state_event === "reopen";
    }
    return reply(200, shown(one));
  });

/** docs.github.com/en/rest/issues: the repository "acme/app", the token "ghp-1". */
export const githubStub = (
  permissions = { push: true, triage: true },
  has_issues = true,
): Promise<TrackerStub> =>
  stub(({ method, path, query, headers, body }, issues, url) => {
    if (headers["user-agent"] === undefined)
      return reply(403, { message: "Request forbidden by administrative rules." });
    if (headers.authorization !== "Bearer ghp-1") return reply(401, { message: "Bad credentials" });
    if (path === "/repos/acme/app") return reply(200, { has_issues, permissions });
    const found = /^\/repos\/acme\/app\/issues(?:\/(\d+)(\/comments)?)?$/.exec(path);
    if (found === null) return reply(404, { message: "Not Found" });
    if (!has_issues) return reply(410, { message: "Issues are disabled for this repo" });
    const shown = (one: Issue) => ({
      number: one.id,
      html_url: `${url()}/acme/app/issues/${one.id}`,
      state: one.open ? "open" : "closed",
      created_at: one.createdAt,
    });
    const [, id, comments] = found;
    if (id === undefined) {
      // Only open ones are listed, unless one asks for all.
      if (method === "GET")
        return reply(
          200,
          newestWith(issues, query.get("labels") ?? "")
            .filter(({ open }) => open || query.get("state") === "all")
            .map(shown),
        );
      if (text(body.title) === "")
        return reply(422, {
          message: "Validation Failed",
          errors: [{ field: "title", code: "missing_field" }],
        });
      const labels = permissions.push && Array.isArray(body.labels) ? body.labels.map(String) : [];
      return reply(201, shown(newIssue(issues, { title: text(body.title), body: text(body.body), labels })));
    }
    const one = issues.find((issue) => issue.id === Number(id));
    if (one === undefined) return reply(404, { message: "Not Found" });
    if (comments !== undefined) {
      if (method === "GET")
        return reply(
          200,
          one.comments.map((comment) => ({ body: comment })),
        );
      if (text(body.body) === "") return reply(422, { message: "Validation Failed" });
      one.comments.push(text(body.body));
      return reply(201, { id: 1 });
    }
    if (method === "PATCH") {
      if (body.state !== "open" && body.state !== "closed")
        return reply(422, { message: "Validation Failed" });
      one.open = body.state === "open";
    }
    return reply(200, shown(one));
  });

/** Jira's REST API, version 2: the project "OPS"; Cloud with ops@example.org and the token "j-1". */
export const jiraStub = (cloud: boolean): Promise<TrackerStub> =>
  stub(({ method, path, query, headers, body }, issues) => {
    const wanted = cloud ? `Basic ${Buffer.from("ops@example.org:j-1").toString("base64")}` : "Bearer j-1";
    if (headers.authorization !== wanted)
      return reply(401, { errorMessages: ["You are not authenticated."] });
    const shown = (one: Issue) => ({
      key: `OPS-${one.id}`,
      fields: {
        status: { statusCategory: { key: one.open ? "new" : "done" } },
        // As Jira writes them.
        created: one.createdAt.replace("Z", "+0000"),
      },
    });
    if (path === "/rest/api/2/project/OPS") return reply(200, { key: "OPS" });
    if (path === "/rest/api/2/search" && cloud)
      return reply(410, { errorMessages: ["The requested API has been removed."] });
    if (path === (cloud ? "/rest/api/2/search/jql" : "/rest/api/2/search")) {
      const asked = /^project = "(\w+)" AND labels = "([^"]+)" ORDER BY created DESC$/.exec(
        query.get("jql") ?? "",
      );
      if (asked?.[1] !== "OPS")
        return reply(400, { errorMessages: ["The value does not exist for the field 'project'."] });
      return reply(200, { issues: newestWith(issues, asked[2] ?? "").map(shown) });
    }
    if (path === "/rest/api/2/issue" && method === "POST") {
      const fields = (body.fields ?? {}) as Record<string, unknown>;
      const errors: Record<string, string> = {};
      if ((fields.project as { key?: string } | undefined)?.key !== "OPS")
        errors.project = "valid project is required";
      if ((fields.issuetype as { name?: string } | undefined)?.name !== "Task")
        errors.issuetype = "Specify a valid issue type";
      if (text(fields.summary) === "") errors.summary = "You must specify a summary of the issue.";
      if (/\n/.test(text(fields.summary)) || text(fields.summary).length > 255)
        errors.summary = "The summary is invalid.";
      // Version 3's document format is not taken here.
      if (typeof fields.description !== "string") errors.description = "Operation value must be a string";
      if (text(fields.description).length > 32_767) errors.description = "The entered text is too long.";
      if (Object.keys(errors).length > 0) return reply(400, { errorMessages: [], errors });
      const labels = Array.isArray(fields.labels) ? fields.labels.map(String) : [];
      const made = newIssue(issues, { title: text(fields.summary), body: text(fields.description), labels });
      return reply(201, { id: "1", key: `OPS-${made.id}` });
    }
    const found = /^\/rest\/api\/2\/issue\/OPS-(\d+)(\/comment|\/transitions)?$/.exec(path);
    const one = issues.find((issue) => issue.id === Number(found?.[1]));
    if (one === undefined) return reply(404, { errorMessages: ["Issue does not exist."] });
    if (found?.[2] === "/comment") {
      if (method === "GET")
        return reply(200, { comments: one.comments.map((comment) => ({ body: comment })) });
      if (text(body.body) === "")
        return reply(400, { errors: { comment: "Comment body can not be empty!" } });
      one.comments.push(text(body.body));
      return reply(201, { id: "1" });
    }
    if (found?.[2] === "/transitions") {
      const ways = one.open
        ? [
            { id: "21", name: "Start", to: { statusCategory: { key: "indeterminate" } } },
            { id: "31", name: "Done", to: { statusCategory: { key: "done" } } },
          ]
        : [{ id: "11", name: "Reopen", to: { statusCategory: { key: "new" } } }];
      if (method === "GET") return reply(200, { transitions: ways });
      const id = (body.transition as { id?: string } | undefined)?.id;
      if (!ways.some((way) => way.id === id))
        return reply(400, {
          errorMessages: ["It seems that you have tried to perform an illegal operation."],
        });
      one.open = id !== "31";
      return reply(204);
    }
    return reply(200, shown(one));
  });

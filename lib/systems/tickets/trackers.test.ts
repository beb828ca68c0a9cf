// Trackers: what each takes, what each refuses and with which words, and that nothing is made or said twice.
import { afterEach, describe, expect, test } from "vitest";
import { closeServers, web } from "../test-server";
import { github } from "./github";
import { gitlab } from "./gitlab";
import { postTicket } from "./hook";
import { jira } from "./jira";
import type { Tracker } from "./tracker";
import { githubStub, gitlabStub, jiraStub, type TrackerStub } from "./trackers.fixture";

afterEach(closeServers);

const timeout = 2000;
type Given = { readonly token?: string; readonly project?: string };
type Kind = {
  readonly stub: () => Promise<TrackerStub>;
  readonly make: (url: string, given?: Given) => Tracker;
};
const kinds: Record<string, Kind> = {
  GitLab: {
    stub: gitlabStub,
    make: (url, { token = "glpat-1", project = "group/app" } = {}) =>
      gitlab({ name: "t", url, project, token, timeout }),
  },
  GitHub: {
    stub: () => githubStub(),
    make: (url, { token = "ghp-1", project = "acme/app" } = {}) =>
      github({ name: "t", url, repo: project, token, timeout }),
  },
  "Jira Cloud": {
    stub: () => jiraStub(true),
    make: (url, { token = "j-1", project = "OPS" } = {}) =>
      jira({ name: "t", url, project, issue_type: "Task", username: "ops@example.org", token, timeout }),
  },
  "Jira Data Center": {
    stub: () => jiraStub(false),
    make: (url, { token = "j-1", project = "OPS" } = {}) =>
      jira({ name: "t", url, project, issue_type: "Task", token, timeout }),
  },
};
const text = {
  link: "https://sluice.example/incidents/12",
  markdown: "# db \\_is\\_ down\n\n@ada {noformat} x",
};
const label = "sluice-incident-12";
const before = new Date(Date.now() - 60_000);

describe.each(Object.entries(kinds))("%s", (_name, { stub, make }) => {
  const refusal = (tracker: Tracker, title = "db") =>
    tracker.create(title, text, [label]).then(
      () => null,
      (error: unknown) => error,
    );

  test("makes one, finds it by its label, reads it, closes and reopens it", async () => {
    const { url, issues } = await stub();
    const tracker = make(url);
    expect(await tracker.find(label, before)).toBeNull();
    const made = await tracker.create("db is down", text, [label, "incident"]);
    expect(issues).toMatchObject([{ title: "db is down", labels: [label, "incident"] }]);
    expect(issues[0]?.body).toContain(text.link);
    expect(made.url).toMatch(/1$/);
    expect(await tracker.find(label, before)).toEqual({ ...made, open: true });
    expect(await tracker.find("sluice-incident-1", before)).toBeNull();
    // One of a time before the incident is another's.
    expect(await tracker.find(label, new Date(Date.now() + 60_000))).toBeNull();
    await tracker.setOpen(made.id, false);
    expect(issues[0]?.open).toBe(false);
    expect(await tracker.find(label, before)).toMatchObject({ open: false });
    await tracker.setOpen(made.id, true);
    expect(await tracker.read(made.id)).toEqual({ ...made, open: true });
    expect(await tracker.read(made.id.replace("1", "99"))).toBeNull();
  });

  test("a comment is made once for each mark", async () => {
    const { url, issues } = await stub();
    const tracker = make(url);
    const { id } = await tracker.create("db", text, [label]);
    await tracker.comment(id, text, "Sluice, notice 4", before);
    await tracker.comment(id, text, "Sluice, notice 4", before);
    await tracker.comment(id, text, "Sluice, notice 14", before);
    expect(issues[0]?.comments).toHaveLength(2);
  });

  test("refuses a wrong token, a project that there is not, a ticket without a title", async () => {
    const { url, issues } = await stub();
    expect(await refusal(make(url, { token: "wrong" }))).toMatchObject({ code: "UPSTREAM_AUTH" });
    const away = await refusal(make(url, { project: "NO/WHERE" }));
    expect(away).toMatchObject({ code: "REFUSED" });
    expect(await refusal(make(url), "")).toMatchObject({
      code: "REFUSED",
      message: expect.stringMatching(/title|summary/),
    });
    expect(issues).toEqual([]);
    await expect(make(url).check()).resolves.toBeUndefined();
    await expect(make(url, { token: "wrong" }).check()).rejects.toMatchObject({ code: "UPSTREAM_AUTH" });
  });

  test("a limit is told with its time; what fails or is no tracker may be well later", async () => {
    const { url, next } = await stub();
    next.push({ status: 429, headers: { "retry-after": "7" } });
    expect(await refusal(make(url))).toMatchObject({
      code: "UPSTREAM_LIMIT",
      detail: { retryAfterMs: 7000 },
    });
    const reset = String(Math.floor(Date.now() / 1000) + 90);
    next.push({ status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset } });
    const limited = (await refusal(make(url))) as { code: string; detail: { retryAfterMs: number } };
    expect(limited.code).toBe("UPSTREAM_LIMIT");
    expect(limited.detail.retryAfterMs).toBeGreaterThan(80_000);
    next.push({ status: 403, body: { message: "You have exceeded a secondary rate limit." } });
    expect(await refusal(make(url))).toMatchObject({
      code: "UPSTREAM_LIMIT",
      detail: { retryAfterMs: 60_000 },
    });
    next.push({ status: 403, body: { message: "Resource not accessible" } });
    expect(await refusal(make(url))).toMatchObject({ code: "UPSTREAM_AUTH" });
    next.push({ status: 502 });
    expect(await refusal(make(url))).toMatchObject({ code: "BAD_ANSWER" });
    next.push({ status: 200, body: { hello: "world" } });
    expect(await refusal(make(url))).toMatchObject({ code: "BAD_ANSWER" });
    next.push({ status: 301, headers: { location: "http://127.0.0.1:9/" } });
    expect(await refusal(make(url))).toMatchObject({ code: "REFUSED" });
  });
});

test("names are told to a tracker, and called by none; nothing ends Jira's own text", async () => {
  const lab = await gitlabStub();
  await kinds.GitLab?.make(lab.url).create("db", text, [label]);
  expect(lab.issues[0]?.body).not.toContain("@ada");
  const cloud = await jiraStub(true);
  await kinds["Jira Cloud"]?.make(cloud.url).create("db", text, [label]);
  expect(cloud.issues[0]?.body.match(/\{noformat\}/g)).toHaveLength(2);
  expect(cloud.issues[0]?.body).toContain("# db _is_ down");
});

test("GitHub: a token that may set no labels, and a repository without issues, are told by the check", async () => {
  const quiet = await githubStub({ push: false, triage: false });
  await expect(kinds.GitHub?.make(quiet.url).check()).rejects.toThrow(/may not set labels/);
  const off = await githubStub(undefined, false);
  await expect(kinds.GitHub?.make(off.url).check()).rejects.toThrow(/has no issues/);
});

test("Jira: transitions by name, and which there are when there is none of it", async () => {
  const { url, issues } = await jiraStub(false);
  const named = { name: "t", url, project: "OPS", issue_type: "Task", token: "j-1", timeout };
  const { id } = await jira(named).create("db", text, [label]);
  await expect(jira({ ...named, done: "Close" }).setOpen(id, false)).rejects.toThrow(
    /no transition Close; there are: Start, Done/,
  );
  await jira({ ...named, done: "done" }).setOpen(id, false);
  expect(issues[0]?.open).toBe(false);
});

test("a webhook: signed, with a key that is the same each time; only a web address becomes a ticket", async () => {
  const got: { headers: Record<string, unknown>; url: string | undefined }[] = [];
  let answer = '{"key":"D-1","url":"https://desk.example/1"}';
  const url = await web((request, response) => {
    got.push({ headers: request.headers, url: request.url });
    response.end(answer);
  });
  const to = { name: "desk", url: `${url}/in?token=s3`, headers: { "X-Team": "ops" }, secret: "s", timeout };
  expect(await postTicket(to, { a: 1 }, "once")).toEqual({
    id: "D-1",
    key: "D-1",
    url: "https://desk.example/1",
  });
  expect(got[0]).toMatchObject({
    url: "/in?token=s3",
    headers: { "x-team": "ops", "idempotency-key": "once" },
  });
  expect(got[0]?.headers["x-sluice-signature-256"]).toMatch(/^sha256=[0-9a-f]{64}$/);
  for (const other of ['{"url":"javascript:alert(1)"}', "ok", ""]) {
    answer = other;
    expect(await postTicket(to, {}, "once")).toBeNull();
  }
});

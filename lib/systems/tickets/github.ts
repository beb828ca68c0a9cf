// Tickets as issues of GitHub: docs.github.com/en/rest/issues.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { ask, type FoundTicket, markdownOf, nothing, orNull, type Tracker, webAddress } from "./tracker";

const issue = z.object({
  number: z.int(),
  html_url: webAddress,
  state: z.string(),
  created_at: z.string(),
  pull_request: z.unknown().optional(),
});
const found = ({ number, html_url, state }: z.infer<typeof issue>): FoundTicket => ({
  id: String(number),
  key: `#${number}`,
  url: html_url,
  open: state === "open",
});
const comments = z.array(z.object({ body: z.string().nullish() }));
const repository = z.object({
  has_issues: z.boolean(),
  permissions: z.object({ push: z.boolean(), triage: z.boolean().optional() }).optional(),
});
const longestTitle = 256;

export function github(settings: {
  readonly name: string;
  readonly url: string;
  /** owner/name */
  readonly repo: string;
  readonly token: string;
  readonly timeout: number;
}): Tracker {
  const api = {
    ...settings,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${settings.token}`,
      "x-github-api-version": "2022-11-28",
    },
  };
  const repo = `/repos/${settings.repo.split("/").map(encodeURIComponent).join("/")}`;
  const at = (id: string) => `${repo}/issues/${encodeURIComponent(id)}`;
  return {
    async find(label, since) {
      const query = `labels=${encodeURIComponent(label)}&state=all&sort=created&direction=desc&per_page=10`;
      const all = await ask(api, "GET", `${repo}/issues?${query}`, z.array(issue));
      // Pull requests are issues there as well.
      const one = all.find(({ pull_request }) => pull_request === undefined);
      return one !== undefined && new Date(one.created_at) >= since ? found(one) : null;
    },
    read: (id) => orNull(ask(api, "GET", at(id), issue).then(found)),
    create: async (title, text, labels) =>
      found(
        await ask(api, "POST", `${repo}/issues`, issue, {
          title: title.slice(0, longestTitle),
          body: markdownOf(text),
          labels,
        }),
      ),
    async comment(id, text, mark, since) {
      const query = `since=${encodeURIComponent(since.toISOString())}&per_page=100`;
      const told = await ask(api, "GET", `${at(id)}/comments?${query}`, comments);
      if (told.some(({ body }) => body?.endsWith(mark))) return;
      await ask(api, "POST", `${at(id)}/comments`, nothing, { body: markdownOf(text, mark) });
    },
    async setOpen(id, open) {
      await ask(api, "PATCH", at(id), nothing, { state: open ? "open" : "closed" });
    },
    async check() {
      const { has_issues, permissions } = await ask(api, "GET", repo, repository);
      if (!has_issues)
        throw new AppError("REFUSED", `${settings.repo} has no issues: switch them on there.`, {
          problem: "tickets.noIssues",
          params: { project: settings.repo },
        });
      // Else GitHub drops labels without a word, and we would not find our own tickets again.
      if (permissions !== undefined && !permissions.push && permissions.triage !== true)
        throw new AppError("REFUSED", `This token may not set labels in ${settings.repo}.`, {
          problem: "tickets.noLabels",
          params: { project: settings.repo },
        });
    },
  };
}

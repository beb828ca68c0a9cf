// Tickets as issues of Jira, Cloud or Data Center, by version 2 of its REST API (its texts are wiki markup).
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { ask, type FoundTicket, isGone, nothing, orNull, type TicketText, type Tracker } from "./tracker";

const category = z.object({ statusCategory: z.object({ key: z.string() }) });
const issue = z.object({ key: z.string(), fields: z.object({ status: category, created: z.string() }) });
const issues = z.object({ issues: z.array(issue) });
const created = z.object({ key: z.string() });
const comments = z.object({ comments: z.array(z.object({ body: z.string() })) });
const transitions = z.object({
  transitions: z.array(z.object({ id: z.string(), name: z.string(), to: category })),
});
const longestTitle = 255;
const longestText = 32_000;

/** It knows no Markdown: the text as it stands, which nothing in it can end. */
function wikiOf({ link, markdown }: TicketText, mark?: string): string {
  const text = markdown
    .replace(/\\([\\`*_{}[\]()#+!|<>~-])/g, "$1")
    .replaceAll("{noformat}", "{ noformat }")
    .slice(0, longestText);
  return [link, `{noformat}\n${text}\n{noformat}`, ...(mark === undefined ? [] : [mark])].join("\n\n");
}

export function jira(settings: {
  readonly name: string;
  readonly url: string;
  /** Its key. */
  readonly project: string;
  readonly issue_type: string;
  /** Cloud: the e-mail address of the token's owner. Data Center: none, the token is a personal one. */
  readonly username?: string | undefined;
  readonly token: string;
  /** Names of the transitions; by the category of the status they lead to where they are left out. */
  readonly done?: string | undefined;
  readonly reopen?: string | undefined;
  readonly timeout: number;
}): Tracker {
  const { username, token, url, project } = settings;
  const authorization =
    username === undefined
      ? `Bearer ${token}`
      : `Basic ${Buffer.from(`${username}:${token}`).toString("base64")}`;
  const api = { ...settings, headers: { authorization } };
  const at = (id: string) => `/rest/api/2/issue/${encodeURIComponent(id)}`;
  const found = ({ key, fields }: z.infer<typeof issue>): FoundTicket => ({
    id: key,
    key,
    url: `${url}/browse/${encodeURIComponent(key)}`,
    open: fields.status.statusCategory.key !== "done",
  });
  return {
    async find(label, since) {
      const jql = `project = "${project}" AND labels = "${label}" ORDER BY created DESC`;
      const query = `jql=${encodeURIComponent(jql)}&fields=status,created&maxResults=1`;
      const { issues: all } = await ask(api, "GET", `/rest/api/2/search?${query}`, issues).catch(
        (error: unknown) => {
          // Cloud took this one away in 2025 (410); Data Center has no other.
          if (isGone(error)) return ask(api, "GET", `/rest/api/2/search/jql?${query}`, issues);
          throw error;
        },
      );
      const [one] = all;
      return one !== undefined && new Date(one.fields.created) >= since ? found(one) : null;
    },
    read: (id) => orNull(ask(api, "GET", `${at(id)}?fields=status,created`, issue).then(found)),
    async create(title, text, labels) {
      const { key } = await ask(api, "POST", "/rest/api/2/issue", created, {
        fields: {
          project: { key: project },
          issuetype: { name: settings.issue_type },
          summary: title.slice(0, longestTitle),
          description: wikiOf(text),
          labels,
        },
      });
      return { id: key, key, url: `${url}/browse/${encodeURIComponent(key)}` };
    },
    async comment(id, text, mark) {
      const told = await ask(api, "GET", `${at(id)}/comment?orderBy=-created&maxResults=100`, comments);
      if (told.comments.some(({ body }) => body.endsWith(mark))) return;
      await ask(api, "POST", `${at(id)}/comment`, nothing, { body: wikiOf(text, mark) });
    },
    async setOpen(id, open) {
      const { transitions: all } = await ask(api, "GET", `${at(id)}/transitions`, transitions);
      const name = open ? settings.reopen : settings.done;
      const way =
        name === undefined
          ? all.find(({ to }) => (to.statusCategory.key === "done") !== open)
          : all.find((one) => one.name.toLowerCase() === name.toLowerCase());
      if (way === undefined)
        throw new AppError(
          "REFUSED",
          `${id} has no transition ${name ?? (open ? "to an open status" : "to a done status")}; there are: ${all.map((one) => one.name).join(", ")}.`,
          { problem: "tickets.noTransition", params: { ticket: id, system: settings.name } },
        );
      await ask(api, "POST", `${at(id)}/transitions`, nothing, { transition: { id: way.id } });
    },
    async check() {
      await ask(api, "GET", `/rest/api/2/project/${encodeURIComponent(project)}`, nothing);
    },
  };
}

// Tickets as issues of GitLab: docs.gitlab.com/api/issues and /api/notes.
import * as z from "zod";
import { ask, type FoundTicket, markdownOf, nothing, orNull, type Tracker, webAddress } from "./tracker";

const issue = z.object({
  iid: z.int(),
  web_url: webAddress,
  state: z.string(),
  created_at: z.string(),
});
const found = ({ iid, web_url, state }: z.infer<typeof issue>): FoundTicket => ({
  id: String(iid),
  key: `#${iid}`,
  url: web_url,
  open: state === "opened",
});
const notes = z.array(z.object({ body: z.string() }));
const longestTitle = 255;

export function gitlab(settings: {
  readonly name: string;
  readonly url: string;
  /** Its number, or group/name. */
  readonly project: string;
  readonly token: string;
  readonly timeout: number;
}): Tracker {
  const api = { ...settings, headers: { "private-token": settings.token } };
  const project = `/api/v4/projects/${encodeURIComponent(settings.project)}`;
  const at = (id: string) => `${project}/issues/${encodeURIComponent(id)}`;
  return {
    async find(label, since) {
      const query = `labels=${encodeURIComponent(label)}&order_by=created_at&sort=desc&per_page=1`;
      const [one] = await ask(api, "GET", `${project}/issues?${query}`, z.array(issue));
      return one !== undefined && new Date(one.created_at) >= since ? found(one) : null;
    },
    read: (id) => orNull(ask(api, "GET", at(id), issue).then(found)),
    create: async (title, text, labels) =>
      found(
        await ask(api, "POST", `${project}/issues`, issue, {
          title: title.slice(0, longestTitle),
          description: markdownOf(text),
          labels: labels.join(","),
        }),
      ),
    async comment(id, text, mark) {
      const told = await ask(api, "GET", `${at(id)}/notes?sort=desc&per_page=100`, notes);
      if (told.some(({ body }) => body.endsWith(mark))) return;
      await ask(api, "POST", `${at(id)}/notes`, nothing, { body: markdownOf(text, mark) });
    },
    async setOpen(id, open) {
      await ask(api, "PUT", at(id), nothing, { state_event: open ? "reopen" : "close" });
    },
    async check() {
      await ask(api, "GET", `${project}/issues?per_page=1`, z.array(issue));
    },
  };
}

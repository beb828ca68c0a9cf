// Where notices go over HTTP: Slack, Teams, ntfy, and any address that takes a body. Each in the shape that its service documents.
import { createHmac } from "node:crypto";
import { AppError } from "../../errors/app-error";
import { exchange } from "../exchange";

/** What is told, in words already. */
export type Words = {
  readonly title: string;
  readonly lines: readonly string[];
  /** Where to look, and what the link says. */
  readonly link: { readonly url: string; readonly text: string } | null;
  readonly tone: "bad" | "warning" | "good" | "info";
};

export type Receiver = {
  readonly name: string;
  /** Often a secret itself: it is never said. */
  readonly url: string;
  /** Milliseconds for one call. */
  readonly timeout: number;
};

type Post = {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly method?: string;
};

const answerBytes = 64 * 1024;

/** Their refusals name what was wrong ("invalid_payload", "no_service"): kept, in plain ASCII. */
const saysOf = (body: Uint8Array): string =>
  Buffer.from(body)
    .toString("utf8")
    .replace(/[^\x20-\x7e]+/g, " ")
    .slice(0, 200);

/** Throws AppError UPSTREAM_LIMIT (`retryAfterMs` where it was told), UPSTREAM_AUTH, REFUSED, BAD_ANSWER (it may take it later), and as `exchange`. */
async function post(
  { name, url, timeout }: Receiver,
  { body, headers, method = "POST" }: Post,
): Promise<string> {
  const { origin, pathname, search } = new URL(url);
  const answer = await exchange({
    base: origin,
    path: `${pathname}${search}`,
    method,
    headers,
    body,
    timeoutMs: timeout,
    maxBytes: answerBytes,
  });
  const { status } = answer;
  if (status >= 200 && status < 300) return `${status}`;
  const params = { system: name, status, says: saysOf(answer.body) };
  if (status === 429 || status === 503) {
    const seconds = Number(answer.headers["retry-after"]);
    throw new AppError("UPSTREAM_LIMIT", `${name} takes no more at the moment (${status}).`, {
      problem: "notices.limit",
      params,
      ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}),
    });
  }
  if (status === 401 || status === 403)
    throw new AppError("UPSTREAM_AUTH", `${name} does not let us in (${status}): ${params.says}`, {
      problem: "notices.auth",
      params,
    });
  if (status >= 500)
    throw new AppError("BAD_ANSWER", `${name} fails (${status}).`, { problem: "notices.failing", params });
  throw new AppError("REFUSED", `${name} refuses it (${status}): ${params.says}`, {
    problem: "notices.refused",
    params,
  });
}

const json = { "content-type": "application/json; charset=utf-8" };
const cut = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;

/** docs.slack.dev/messaging/formatting-message-text: & < > are control characters there. */
const slackText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const signs = { bad: "🔴", warning: "🟠", good: "🟢", info: "🔵" } as const;

/** docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: `text` is the notification, `blocks` the message. */
export function slackBody({ title, lines, link, tone }: Words): object {
  const head = `${signs[tone]} *${slackText(title)}*`;
  const text = cut([head, ...lines.map(slackText)].join("\n"), 2900);
  return {
    text: cut(slackText(title), 150),
    blocks: [
      { type: "section", text: { type: "mrkdwn", text } },
      ...(link === null
        ? []
        : [
            {
              type: "actions",
              elements: [
                {
                  type: "button",
                  text: { type: "plain_text", text: cut(link.text, 75) },
                  url: link.url,
                },
              ],
            },
          ]),
    ],
  };
}

export const sendSlack = (to: Receiver, words: Words): Promise<string> =>
  post(to, { body: JSON.stringify(slackBody(words)), headers: json });

/** Its Markdown would make a link or a list of somebody's words. */
const cardText = (text: string): string => text.replace(/[\\`*_[\]#<>~-]/g, "\\$&");
const cardColours = { bad: "attention", warning: "warning", good: "good", info: "accent" } as const;

/** learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors: an adaptive card 1.2 in a message, at most 28 kB. */
export function teamsBody({ title, lines, link, tone }: Words): object {
  return {
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.2",
          body: [
            {
              type: "TextBlock",
              text: cardText(cut(title, 300)),
              weight: "bolder",
              size: "medium",
              color: cardColours[tone],
              wrap: true,
            },
            ...lines.map((line) => ({ type: "TextBlock", text: cardText(cut(line, 1000)), wrap: true })),
          ],
          ...(link === null
            ? {}
            : { actions: [{ type: "Action.OpenUrl", title: link.text, url: link.url }] }),
        },
      },
    ],
  };
}

export const sendTeams = (to: Receiver, words: Words): Promise<string> =>
  post(to, { body: JSON.stringify(teamsBody(words)), headers: json });

const priorities = { bad: 5, warning: 4, good: 3, info: 3 } as const;
const tags = {
  bad: "rotating_light",
  warning: "warning",
  good: "white_check_mark",
  info: "information_source",
} as const;

/** docs.ntfy.sh/publish/#publish-as-json: the topic is in the body, the address is the server's root; a message has at most 4,096 bytes. */
export function ntfyBody(topic: string, { title, lines, link, tone }: Words): object {
  return {
    topic,
    title: cut(title, 250),
    message: cut(lines.join("\n") || title, 1000),
    priority: priorities[tone],
    tags: [tags[tone]],
    ...(link === null ? {} : { click: link.url }),
  };
}

export const sendNtfy = (
  to: Receiver & { readonly topic: string; readonly token?: string | undefined },
  words: Words,
): Promise<string> =>
  post(to, {
    body: JSON.stringify(ntfyBody(to.topic, words)),
    headers: { ...json, ...(to.token === undefined ? {} : { authorization: `Bearer ${to.token}` }) },
  });

/**
 * Any address. With a secret the body is signed as GitHub does it, `x-sluice-signature-256: sha256=` and the hexadecimal HMAC, so that the
 * receiver knows who wrote.
 */
export const sendWebhook = (
  to: Receiver & {
    readonly method: "POST" | "PUT";
    readonly headers: Readonly<Record<string, string>>;
    readonly secret?: string | undefined;
  },
  body: string,
): Promise<string> =>
  post(to, {
    body,
    method: to.method,
    headers: {
      "content-type": "application/json; charset=utf-8",
      ...Object.fromEntries(Object.entries(to.headers).map(([name, value]) => [name.toLowerCase(), value])),
      ...(to.secret === undefined
        ? {}
        : {
            "x-sluice-signature-256": `sha256=${createHmac("sha256", to.secret).update(body).digest("hex")}`,
          }),
    },
  });

/** healthchecks.io and its like: one GET says that we live. */
export const signOfLife = (to: Receiver): Promise<string> =>
  post(to, { body: "", headers: {}, method: "GET" });

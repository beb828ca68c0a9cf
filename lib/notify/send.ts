// Hands one notice to one channel.
import type { Config } from "../config/schema";
import { AppError } from "../errors/app-error";
import { sendNtfy, sendSlack, sendTeams, sendWebhook } from "../systems/notices/notices";
import { sendMail } from "../systems/smtp/smtp";
import type { Channel } from "./notifier";
import { renderTemplate } from "./template";
import { mailOf, type Notice, wordsOf } from "./words";

/** What a webhook's template is given. */
function valuesOf(notice: Notice, channel: Channel, base: string | undefined): object {
  const { title, lines, link, tone } = wordsOf(notice, channel, base);
  const { event, incident, change } = notice;
  return {
    notice: { event, title, text: lines.join("\n"), url: link?.url ?? null, tone, incident, change },
  };
}

/** `id`: the delivery's, so that a mail that is sent twice is known as one. Throws AppError when it is not taken. */
export async function send(
  id: number,
  notice: Notice,
  channel: Channel,
  settings: Pick<Config, "server" | "systems">,
): Promise<void> {
  const base = settings.server.url;
  const words = wordsOf(notice, channel, base);
  switch (channel.type) {
    case "slack":
      await sendSlack(channel, words);
      return;
    case "teams":
      await sendTeams(channel, words);
      return;
    case "ntfy":
      await sendNtfy(channel, words);
      return;
    case "webhook": {
      let body: string;
      try {
        body = renderTemplate(channel.template, valuesOf(notice, channel, base));
      } catch (error) {
        const [says = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
        throw new AppError("INVALID_INPUT", `The template of ${channel.name} cannot be filled in: ${says}`, {
          problem: "notices.template",
          params: { channel: channel.name, says: says.slice(0, 200) },
        });
      }
      await sendWebhook(channel, body);
      return;
    }
    case "email": {
      const server = settings.systems.smtp.find(({ name }) => name === channel.smtp);
      if (server === undefined)
        throw new AppError("NOT_CONFIGURED", `There is no smtp system called ${channel.smtp}.`, {
          problem: "notices.noSmtp",
          params: { system: channel.smtp },
        });
      const host = base === undefined ? "sluice.invalid" : new URL(base).hostname;
      await sendMail(server, {
        from: channel.from,
        to: channel.to,
        ...mailOf(words, channel.language),
        messageId: `<notice-${id}@${host}>`,
      });
    }
  }
}

// Tickets of any other tracker: what happened is posted to an address, which may answer with the ticket that it made of it.
import { createHmac } from "node:crypto";
import * as z from "zod";
import { ask, type Ticket, webAddress } from "./tracker";

const made = z
  .object({ url: webAddress, key: z.string().trim().min(1).max(100).optional() })
  .nullable()
  .catch(null);

/**
 * `once`: the same text for the same call, however often it is made (Idempotency-Key). With a secret the body is signed as notices are. Throws
 * as `ask`.
 */
export async function postTicket(
  to: {
    readonly name: string;
    /** May hold a token: it is never said. */
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly secret?: string | undefined;
    readonly timeout: number;
  },
  body: object,
  once: string,
): Promise<Ticket | null> {
  const { origin, pathname, search } = new URL(to.url);
  const signed =
    to.secret === undefined
      ? {}
      : {
          "x-sluice-signature-256": `sha256=${createHmac("sha256", to.secret).update(JSON.stringify(body)).digest("hex")}`,
        };
  const headers = Object.fromEntries(
    Object.entries(to.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const answer = await ask(
    {
      name: to.name,
      url: origin,
      timeout: to.timeout,
      headers: { ...headers, ...signed, "idempotency-key": once },
    },
    "POST",
    `${pathname}${search}`,
    made,
    body,
  );
  return answer === null ? null : { id: answer.key ?? "", key: answer.key ?? answer.url, url: answer.url };
}

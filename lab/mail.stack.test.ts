// The mail server of the lab, by what Sluice itself sends mail with.
import { afterEach, expect, test } from "vitest";
import { sendMail } from "../lib/systems/smtp/smtp";
import { ask, json, stack } from "./test-stack";

const server = {
  name: "mail",
  address: `127.0.0.1:${stack.ports.smtp}`,
  tls: "never",
  timeout: 5000,
} as const;
const mail = (subject: string) => ({
  from: "sluice@example.org",
  to: ["a@example.org", "b@example.org"],
  subject,
  text: "C’est la fête.\n",
  html: "<p>C’est la fête.</p>",
  messageId: `<${subject.length}@example.org>`,
});
const http = async (method: string, path: string) =>
  JSON.parse((await ask(stack.ports.mailHttp, path, { method })).body);
/** What this file sent: others may mail meanwhile. */
const ours = async () =>
  (await http("GET", "/messages")).filter(({ from }: { from: string }) => from === "sluice@example.org");
const refuse = (body: object) => ask(stack.ports.mailHttp, "/refuse", json(body));

afterEach(async () => {
  await http("DELETE", "/refuse");
  await http("DELETE", "/messages");
});

test("what was sent can be read, and forgotten", async () => {
  await sendMail(server, mail("Été à Rives"));
  const found = await ours();
  expect(found).toMatchObject([
    {
      from: "sluice@example.org",
      to: ["a@example.org", "b@example.org"],
      subject: "Été à Rives",
      headers: { "message-id": "<11@example.org>" },
      text: "C’est la fête.\n",
      html: expect.stringContaining("<p>C’est la fête.</p>"),
    },
  ]);
  await http("DELETE", "/messages");
  expect(await ours()).toEqual([]);
});

test("it refuses when told to: for good, for now, and as often as told", async () => {
  await refuse({ code: 550, text: "no such mailbox", at: "rcpt" });
  await expect(sendMail(server, mail("a"))).rejects.toMatchObject({
    code: "REFUSED",
    detail: { params: { says: expect.stringContaining("550") } },
  });
  await refuse({ code: 451, text: "try later", count: 1 });
  await expect(sendMail(server, mail("b"))).rejects.toMatchObject({
    code: "UPSTREAM_LIMIT",
    detail: { params: { says: expect.stringContaining("451 try later") } },
  });
  await sendMail(server, mail("c"));
  expect((await ours()).map(({ subject }: { subject: string }) => subject)).toEqual(["c"]);
  expect((await refuse({ code: 200 })).status).toBe(400);
});

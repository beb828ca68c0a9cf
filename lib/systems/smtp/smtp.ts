// A mail server: whether it takes our sign-in, and mail handed to it (nodemailer).
import { createTransport } from "nodemailer";
import { AppError } from "../../errors/app-error";
import { look } from "../look";
import type { Probed } from "../system";
import { hostAndPort } from "../tcp";
import { wireError } from "../wire-error";

export type SmtpServer = {
  readonly name: string;
  /** host:port */
  readonly address: string;
  /** "start": STARTTLS where it is offered; "always": TLS from the first byte; "never". */
  readonly tls: "start" | "always" | "never";
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Milliseconds to connect, to greet, and for one answer. */
  readonly timeout: number;
};

export type Mail = {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Stays the same when it is sent again, so that a reader's program knows it. */
  readonly messageId: string;
};

function transport({ address, tls, username, password, timeout }: SmtpServer) {
  const { host, port } = hostAndPort(address);
  return createTransport({
    host,
    port,
    secure: tls === "always",
    ignoreTLS: tls === "never",
    ...(username === undefined || password === undefined ? {} : { auth: { user: username, pass: password } }),
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
    // Nothing of ours is a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** nodemailer's codes (nodemailer.com/smtp/#error-codes); what the server says holds no secret of ours. */
function foreignError(server: SmtpServer, error: unknown): AppError {
  const { code, response, responseCode } = (error ?? {}) as {
    code?: unknown;
    response?: unknown;
    responseCode?: unknown;
  };
  const says = (
    typeof response === "string" ? response : error instanceof Error ? error.message : String(error)
  )
    .replace(/[^\x20-\x7e]+/g, " ")
    .slice(0, 200);
  const params = { system: server.name, says };
  if (code === "EAUTH" || code === "ENOAUTH")
    return new AppError("UPSTREAM_AUTH", `${server.name} does not accept username and password.`, {
      problem: "smtp.auth",
      params,
    });
  if (code === "ETIMEDOUT")
    return new AppError("TIMEOUT", `${server.name} did not answer within ${server.timeout} ms.`, {
      problem: "http.timeout",
      params: { address: server.address, ms: server.timeout },
    });
  // RFC 5321, 4.2.1: 4yz is "not now", 5yz is "no".
  if (typeof responseCode === "number" && responseCode >= 400 && responseCode < 500)
    return new AppError("UPSTREAM_LIMIT", `${server.name} does not take mail at the moment: ${says}`, {
      problem: "smtp.later",
      params,
    });
  if (code === "EENVELOPE" || code === "EMESSAGE")
    return new AppError("REFUSED", `${server.name} refuses the mail: ${says}`, {
      problem: "smtp.refused",
      params,
    });
  if (code === "EPROTOCOL" || code === "ETLS")
    return new AppError("BAD_ANSWER", `${server.name}: ${says}`, { problem: "smtp.failed", params });
  // nodemailer puts a code of its own (ESOCKET) over the system's, which is left in the message only.
  const system = /\bE[A-Z_]{4,}\b/.exec(says)?.[0];
  return wireError(Object.assign(new Error(says), { code: system ?? code }), server.address);
}

/** Greets, secures the line where it can, signs in where it should. */
export const probe = (server: SmtpServer): Promise<Probed> =>
  look(`smtp:${server.name}`, async () => {
    const mailer = transport(server);
    try {
      await mailer.verify();
      return { version: null, facts: { auth: server.username === undefined ? "–" : server.username } };
    } catch (error) {
      throw foreignError(server, error);
    } finally {
      mailer.close();
    }
  });

/** Hands a mail over. Resolves with the server's own words; throws AppError UPSTREAM_AUTH, REFUSED, TIMEOUT, UNREACHABLE, BAD_ANSWER. */
export async function sendMail(server: SmtpServer, mail: Mail): Promise<string> {
  const mailer = transport(server);
  try {
    const { response } = await mailer.sendMail({ ...mail, to: [...mail.to] });
    return response.slice(0, 200);
  } catch (error) {
    throw foreignError(server, error);
  } finally {
    mailer.close();
  }
}

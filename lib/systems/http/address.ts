// Any address that must answer: a health route of the application, an external API. What is expected of it stands in sluice.yaml.
import { connect as connectTls } from "node:tls";
import { RE2JS } from "re2js";
import { AppError } from "../../errors/app-error";
import type { ToldProblem } from "../../errors/contract";
import { exchange } from "../exchange";
import { look } from "../look";
import { guardedLookup } from "../never-asked";
import type { Probed } from "../system";
import { wireError } from "../wire-error";

export type WatchedAddress = {
  readonly name: string;
  readonly url: string;
  /** The Host header and TLS name, where they are not the address's own. */
  readonly host?: string | undefined;
  readonly method: "GET" | "HEAD" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  /** Which answers are right; every one below 400 when empty. */
  readonly expect_status: readonly number[];
  /** RE2, found anywhere in the body. */
  readonly expect_body?: string | undefined;
  /** Days before a certificate's end that want a look. */
  readonly tls_days: number;
  /** Milliseconds. */
  readonly timeout: number;
};

const maxBytes = 1024 * 1024;
const dayMs = 86_400_000;

/** Days until the certificate there ends. Throws AppError as the wire does; one that is not trusted is told by the request itself. */
function certificateDays(url: URL, host: string, timeout: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: Number(url.port || 443),
      servername: host,
      lookup: guardedLookup,
      rejectUnauthorized: false,
    });
    const end = (act: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      act();
    };
    const timer = setTimeout(
      () =>
        end(() =>
          reject(
            new AppError("TIMEOUT", `${url.origin} did not answer within ${timeout} ms.`, {
              problem: "http.timeout",
              params: { address: url.origin, ms: timeout },
            }),
          ),
        ),
      timeout,
    );
    socket.once("error", (error) => end(() => reject(wireError(error, url.origin))));
    socket.once("secureConnect", () => {
      const until = Date.parse(socket.getPeerCertificate().valid_to);
      end(() => resolve(Math.floor((until - Date.now()) / dayMs)));
    });
  });
}

/** Up: it answers as it should. Redirects are answers, and are not followed. Facts: status, days (of the certificate). */
export const probe = (address: WatchedAddress): Promise<Probed> =>
  look(`http:${address.name}`, async () => {
    const url = new URL(address.url);
    const { status, body } = await exchange({
      base: url.origin,
      host: address.host,
      path: url.pathname + url.search,
      method: address.method,
      headers: address.headers,
      timeoutMs: address.timeout,
      maxBytes,
    });
    const right = address.expect_status.length === 0 ? status < 400 : address.expect_status.includes(status);
    if (!right)
      throw new AppError("BAD_ANSWER", `${url.origin} answers ${status}.`, {
        problem: "http.status",
        params: { address: url.origin, status },
      });
    if (address.expect_body !== undefined) {
      const text = Buffer.from(body).toString("utf8");
      if (!RE2JS.compile(address.expect_body).matcher(text).find())
        throw new AppError("BAD_ANSWER", `${url.origin} answers something else than expected.`, {
          problem: "http.body",
          params: { address: url.origin, pattern: address.expect_body },
        });
    }
    if (url.protocol !== "https:") return { version: null, facts: { status } };
    const days = await certificateDays(
      url,
      (address.host ?? url.hostname).replace(/:\d+$/, ""),
      address.timeout,
    );
    const concerns: ToldProblem[] =
      days < address.tls_days
        ? [{ problem: "http.certificateEnds", params: { address: url.origin, days } }]
        : [];
    return { version: null, facts: { status, days }, concerns };
  });

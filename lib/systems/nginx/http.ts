// Nginx's own page cache by ngx_cache_purge: PURGE of one address.
import { AppError, toAppError } from "../../errors/app-error";
import { type Answer, exchange } from "../exchange";
import { look } from "../look";
import type { Probed, Seen } from "../system";

/** One server, as sluice.yaml has it. */
export type NginxSystem = {
  readonly name: string;
  /** Where it listens, never the public address. */
  readonly url: string;
  /** Path of its `stub_status` there. */
  readonly status?: string | undefined;
  /** Milliseconds for one exchange. */
  readonly timeout: number;
};

/** `count`: 1 removed, 0 was not cached. */
export type NginxOutcome =
  | { readonly ok: true; readonly count: 0 | 1 }
  | { readonly ok: false; readonly error: AppError };

/** The module's page says "Successful purge" and the key; its JSON, XML and text forms name the key too. */
const purgedWords = /successful purge|"?\bkey"?\s*[:>]/i;

function refusal(server: NginxSystem, answer: Answer): AppError {
  const params = { system: server.name, status: answer.status };
  if (answer.status === 401 || answer.status === 403) {
    return new AppError(
      "REFUSED",
      `${server.name} refuses PURGE: add Sluice's address to "…_cache_purge PURGE from …".`,
      {
        problem: "nginx.acl",
        params,
      },
    );
  }
  if (answer.status === 405 || answer.status === 501 || answer.status === 200 || answer.status === 400) {
    return new AppError(
      "REFUSED",
      `${server.name} does not purge: it needs the module ngx_cache_purge, or "purge: false" in sluice.yaml.`,
      {
        problem: "nginx.noModule",
        params,
      },
    );
  }
  return new AppError("BAD_ANSWER", `${server.name} answered PURGE with ${answer.status}.`, {
    problem: "nginx.answer",
    params,
  });
}

/** Removes one address from the cache. Its key must be made of host and path, as fastcgi_cache_key $host$request_uri is. */
export async function purgeUrl(
  server: NginxSystem,
  target: { readonly host: string; readonly path: string },
  signal?: AbortSignal,
): Promise<NginxOutcome> {
  try {
    const answer = await exchange({
      base: server.url,
      host: target.host,
      path: target.path,
      method: "PURGE",
      timeoutMs: server.timeout,
      signal,
      maxBytes: 256 * 1024,
    });
    // Older versions of the module say 412 for what was not cached.
    if (answer.status === 404 || answer.status === 412) return { ok: true, count: 0 };
    if (answer.status === 200 && purgedWords.test(Buffer.from(answer.body).toString("latin1")))
      return { ok: true, count: 1 };
    return { ok: false, error: refusal(server, answer) };
  } catch (error) {
    return { ok: false, error: toAppError(error) };
  }
}

const versionOf = ({ headers }: Answer): string | null =>
  /nginx\/([\d.]+)/.exec(headers.server ?? "")?.[1] ?? null;

/**
 * By its stub_status, which nothing behind it can harm; without one, whether it answers: any status below 500 counts, and the application
 * may be what fails. Its version is in Server only where server_tokens is on.
 */
export const probe = (server: NginxSystem): Promise<Probed> =>
  look(`nginx:${server.name}`, async () => {
    if (server.status !== undefined) return stubStatus(server, server.status);
    const answer = await exchange({ base: server.url, path: "/", method: "HEAD", timeoutMs: server.timeout });
    if (answer.status >= 500) {
      throw new AppError("BAD_ANSWER", `${server.name} answers ${answer.status}.`, {
        problem: "nginx.failing",
        params: { system: server.name, status: answer.status },
      });
    }
    return { version: versionOf(answer), facts: { status: answer.status } };
  });

const stubLines =
  /^Active connections: (\d+)\s+server accepts handled requests\s+(\d+) (\d+) (\d+)\s+Reading: (\d+) Writing: (\d+) Waiting: (\d+)/;

/** What ngx_http_stub_status_module says (nginx.org/en/docs/http/ngx_http_stub_status_module.html). Throws AppError. */
async function stubStatus(server: NginxSystem, path: string): Promise<Seen> {
  const answer = await exchange({
    base: server.url,
    path,
    timeoutMs: server.timeout,
    maxBytes: 4096,
  });
  const { status, body } = answer;
  const read = stubLines.exec(Buffer.from(body).toString("latin1"));
  if (status !== 200 || read === null)
    throw new AppError("BAD_ANSWER", `${server.name}: ${path} is no stub_status (${status}).`, {
      problem: "nginx.noStatus",
      params: { system: server.name, path, status },
    });
  const [active = 0, accepted = 0, handled = 0, requests = 0, reading = 0, writing = 0, waiting = 0] = read
    .slice(1)
    .map(Number);
  return {
    version: versionOf(answer),
    facts: { active, reading, writing, waiting },
    counters: { accepted, dropped: accepted - handled, requests },
  };
}

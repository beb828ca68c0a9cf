// Whether a REST server lets nothing be taken away: restic itself is told only by 43 seconds of refusals.
import { readFile } from "node:fs/promises";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { ResticRepository } from "./repository";

/** No data has this name: a server that would take it away finds nothing. */
const nobodys = `data/${"0".repeat(64)}`;

/** False, or true where the server refuses to take anything away; null where the storage does not tell (all but REST). Never throws. */
export async function appendOnly({
  repository,
  env,
  cacert,
  timeout,
}: ResticRepository): Promise<boolean | null> {
  const text = /^rest:(https?:\/\/.*)$/.exec(repository)?.[1];
  if (text === undefined || !URL.canParse(text)) return null;
  const url = new URL(nobodys, text.endsWith("/") ? text : `${text}/`);
  const user = env.RESTIC_REST_USERNAME;
  const own = user === undefined ? {} : { auth: `${user}:${env.RESTIC_REST_PASSWORD ?? ""}` };
  try {
    const ca = cacert === undefined ? {} : { ca: await readFile(cacert) };
    const status = await new Promise<number>((resolve, reject) => {
      const ask = url.protocol === "https:" ? requestHttps : requestHttp;
      const asked = ask(
        url,
        {
          method: "DELETE",
          signal: AbortSignal.timeout(timeout),
          ...(url.username === "" ? own : {}),
          ...ca,
        },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        },
      );
      asked.on("error", reject).end();
    });
    // Not allowed to see it at all is another thing: then the look failed before.
    return status === 403 ? true : status === 404 || status === 200 ? false : null;
  } catch {
    return null;
  }
}

// Grafana: whether it and its database answer, and whether it takes our credentials.
import * as z from "zod";
import { AppError } from "../../errors/app-error";
import { get, type JsonApi, notProduct, shaped } from "../json-api";
import { look } from "../look";
import type { Probed } from "../system";

const health = z.object({ database: z.string(), version: z.string().nullish() });

/** Facts: database. */
export const probe = (target: JsonApi): Promise<Probed> =>
  look(`grafana:${target.name}`, async () => {
    // Without credentials, which a wrong one would spoil: it says 503 and why when its database is gone.
    const { name, url, timeout } = target;
    const answer = await get({ name, url, timeout }, "/api/health");
    const told = shaped(answer, health);
    if (told === null || (answer.status !== 200 && answer.status !== 503))
      throw notProduct(target, "Grafana", answer.status);
    if (told.database !== "ok")
      throw new AppError("BAD_ANSWER", `${name} does not reach its database (${told.database}).`, {
        problem: "grafana.database",
        params: { system: name, says: told.database.slice(0, 40) },
      });
    if (target.token !== undefined || target.username !== undefined) await signIn(target);
    return { version: told.version ?? null, facts: { database: told.database } };
  });

/** The health route is everybody's: another one tells a wrong token. What an account may not see there is not asked. */
async function signIn(target: JsonApi): Promise<void> {
  try {
    await get(target, "/api/org");
  } catch (error) {
    const forbidden = error instanceof AppError && error.detail.params?.status === 403;
    if (!forbidden) throw error;
  }
}

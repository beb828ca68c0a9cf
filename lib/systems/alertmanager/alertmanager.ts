// Alertmanager's API v2: whether it is there, and at one with its peers.
import * as z from "zod";
import { type JsonApi, read } from "../json-api";
import { look } from "../look";
import type { Probed } from "../system";

// Its `config` holds the receivers' secrets: it is left where it is.
const status = z.object({
  cluster: z.object({ status: z.string(), peers: z.array(z.unknown()).nullish() }),
  versionInfo: z.object({ version: z.string() }),
});

/** Facts: peers. */
export const probe = (target: JsonApi): Promise<Probed> =>
  look(`alertmanager:${target.name}`, async () => {
    const { cluster, versionInfo } = await read(target, "Alertmanager", "/api/v2/status", status);
    // "disabled" is one without peers, as its owner wants it.
    const well = cluster.status === "ready" || cluster.status === "disabled";
    return {
      version: versionInfo.version,
      facts: { peers: cluster.peers?.length ?? 0 },
      concerns: well
        ? []
        : [
            {
              problem: "alertmanager.cluster",
              params: { system: target.name, state: cluster.status.slice(0, 40) },
            },
          ],
    };
  });

// One look at a Varnish node: does it serve, what does its VCL understand, and is its CLI open to us.
import { toAppError } from "../../errors/app-error";
import { exchange } from "../exchange";
import { look } from "../look";
import type { Probed } from "../system";
import { banList, status, type VarnishAdmin, version } from "./cli";
import { peek, type VarnishNode } from "./http";

/** Facts: vcl ("sluice", "plain"), boot, admin ("ready", "not set", or why not), child, bans. */
export const probe = (node: VarnishNode & VarnishAdmin): Promise<Probed> =>
  look(`varnish:${node.name}`, async () => {
    const facts: Record<string, string | number> = {};
    const seen = await peek(node, "sluice-probe.invalid", "/");
    if (seen.state === "unsupported") {
      // PEEK told nothing: that it answers at all is what counts.
      await exchange({ base: node.url, path: "/", method: "HEAD", timeoutMs: node.timeout });
      facts.vcl = "plain";
    } else {
      facts.vcl = "sluice";
      if (seen.boot !== null) facts.boot = seen.boot;
    }
    if (!node.admin) return { version: null, facts: { ...facts, admin: "not set" } };
    try {
      const told = await version(node);
      facts.child = await status(node);
      facts.bans = (await banList(node)).length;
      return { version: told, facts: { ...facts, admin: "ready" } };
    } catch (error) {
      // Purging goes over HTTP: a node without its CLI is up.
      const { code, message } = toAppError(error);
      return { version: null, facts: { ...facts, admin: code, adminError: message } };
    }
  });

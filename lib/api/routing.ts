// Which router takes a request, and what each Traefik does now, over RPC and REST.
import { traefiks } from "../routing/overview/service";
import { routersOf } from "../routing/service";
import { os } from "./base";

export const routing = {
  match: os.routing.match.handler(({ input }) => routersOf(input)),
  overview: os.routing.overview.handler(() => traefiks()),
};

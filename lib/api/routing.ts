// Which router takes a request, over RPC and REST.
import { routersOf } from "../routing/service";
import { os } from "./base";

export const routing = {
  match: os.routing.match.handler(({ input }) => routersOf(input)),
};

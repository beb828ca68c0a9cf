// Notices, over RPC and REST.
import { listChannels, listDeliveries, retryDelivery, testChannel } from "../notify/service";
import { os } from "./base";

export const notices = {
  channels: os.notices.channels.handler(() => listChannels()),
  list: os.notices.list.handler(({ input }) => listDeliveries(input.before ?? null)),
  test: os.notices.test.handler(({ input }) => testChannel(input.channel)),
  retry: os.notices.retry.handler(({ input }) => retryDelivery(input.id)),
};

// Connections, over RPC and REST.
import { connections as all, testConnection } from "../connections/service";
import { os } from "./base";

export const connections = {
  list: os.connections.list.handler(() => all()),
  test: os.connections.test.handler(({ input }) => testConnection(input.kind, input.name)),
};

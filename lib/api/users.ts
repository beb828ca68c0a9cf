// Users and API keys, over RPC and REST.
import {
  createKey,
  createUser,
  describeMe,
  listKeys,
  listUsers,
  removeKey,
  removeUser,
  resetPassword,
  updateUser,
} from "../users/service";
import { os } from "./base";

const ok = { ok: true } as const;

export const users = {
  me: os.users.me.handler(({ context }) => describeMe(context.identity)),
  list: os.users.list.handler(() => listUsers()),
  create: os.users.create.handler(({ input }) => createUser(input)),
  update: os.users.update.handler(({ input, context }) => updateUser(input, context.identity.user.id)),
  remove: os.users.remove.handler(async ({ input, context }) => {
    await removeUser(input.id, context.identity.user.id);
    return ok;
  }),
  resetPassword: os.users.resetPassword.handler(({ input, context }) =>
    resetPassword(input.id, context.identity.user.id),
  ),
  keys: os.users.keys.handler(({ context }) => listKeys(context.identity.user.id)),
  createKey: os.users.createKey.handler(({ input, context }) => createKey(input, context.identity)),
  removeKey: os.users.removeKey.handler(async ({ input, context }) => {
    await removeKey(input.id, context.identity.user.id);
    return ok;
  }),
};

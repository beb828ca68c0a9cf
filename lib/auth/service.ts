// What sign-in needs while Sluice runs: the clients' addresses, and the code of the first sign-in.

import { recordPeers } from "./client-address";
import { offerFirstSignIn } from "./first-admin";
import { authSecret } from "./secret";

/** For lib/runtime/services.ts. The code goes to the console itself, never into the log. */
export const authService = {
  name: "sign-in",
  async start(): Promise<() => Promise<void>> {
    authSecret();
    const stop = recordPeers();
    await offerFirstSignIn((text) => process.stdout.write(text));
    return async () => stop();
  },
};

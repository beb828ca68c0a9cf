// What the sign-in page offers.
import { config } from "../config/load";
import { isSetupNeeded } from "./first-admin";

export type SignInOptions = {
  /** Nobody can sign in yet: /setup is the way in. */
  readonly setupNeeded: boolean;
  /** OIDC providers: POST /api/auth/sign-in/social {provider: name, callbackURL} answers with the address to go to. */
  readonly providers: readonly { readonly name: string; readonly title: string }[];
};

/** What the sign-in page offers; nothing in it is secret. */
export async function signInOptions(): Promise<SignInOptions> {
  return {
    setupNeeded: await isSetupNeeded(),
    providers: config().auth.oidc.map(({ name, title }) => ({ name, title: title ?? name })),
  };
}

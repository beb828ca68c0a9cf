// Who acts when nobody asked: Sluice itself, at a time that was set or after a look.
import type { Actor } from "./kind";

export const sluiceActor: Actor = {
  type: "system",
  id: null,
  name: "Sluice",
  role: "operator",
  sites: null,
  scopes: null,
};

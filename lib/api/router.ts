// Every procedure of the contract, implemented.
import { alerts } from "./alerts";
import { backup } from "./backup";
import { os } from "./base";
import { changes } from "./changes";
import { cloudflare } from "./cloudflare";
import { connections } from "./connections";
import { health } from "./health";
import { incidents } from "./incidents";
import { live } from "./live";
import { notices } from "./notices";
import { purges } from "./purges";
import { routing } from "./routing";
import { services } from "./services";
import { swarm } from "./swarm";
import { users } from "./users";
import { vcl } from "./vcl";

export const router = os.router({
  purges,
  changes,
  connections,
  health,
  incidents,
  alerts,
  notices,
  services,
  swarm,
  cloudflare,
  vcl,
  routing,
  backup,
  users,
  live,
});

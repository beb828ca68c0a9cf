// Every procedure of the contract, implemented.
import { os } from "./base";
import { changes } from "./changes";
import { connections } from "./connections";
import { live } from "./live";
import { purges } from "./purges";
import { services } from "./services";
import { swarm } from "./swarm";
import { users } from "./users";

export const router = os.router({ purges, changes, connections, services, swarm, users, live });

// What the runtime starts, in order: each domain's kinds of change, then its services.

import { purgeGateway, purgeOutbox, registerPurge } from "@/lib/purge/register";
import { registerServices } from "@/lib/services/register";
import { servicesService } from "@/lib/services/service";
import { authService } from "../auth/service";
import { connectionsService } from "../connections/service";

/** Something that works by itself while Sluice runs. `start` resolves with the way to stop it. */
export type Service = {
  readonly name: string;
  start(): Promise<() => Promise<void>>;
};

/** Registers a domain's kinds with the engine; all run before changes of an earlier process are taken up. */
export const kinds: readonly (() => void)[] = [registerPurge, registerServices];

/** Started in this order and stopped in the opposite one. One that fails does not keep the others from starting. */
export const services: readonly Service[] = [
  authService,
  connectionsService,
  servicesService,
  purgeOutbox,
  purgeGateway,
];

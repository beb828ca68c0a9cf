// What the runtime starts, in order: each domain's kinds of change, then its services.

import { registerCloudflare } from "@/lib/cloudflare/register";
import { purgeGateway, purgeOutbox, registerPurge } from "@/lib/purge/register";
import { registerServices } from "@/lib/services/register";
import { servicesService } from "@/lib/services/service";
import { registerAlerts } from "../alerts/register";
import { alertsService } from "../alerts/service";
import { annotationsService } from "../annotations/service";
import { authService } from "../auth/service";
import { backupIndexService } from "../backup/index-service";
import { registerBackup } from "../backup/register";
import { attacksService } from "../cloudflare/attacks";
import { zoneTrafficService } from "../cloudflare/traffic";
import { connectionsService } from "../connections/service";
import { riverService } from "../health/river";
import { healthService } from "../health/service";
import { incidentsService } from "../incidents/service";
import { countChanges } from "../metrics/changes";
import { notifyService } from "../notify/service";
import { routingMaintenanceService } from "../routing/files/maintenance";
import { registerRouting } from "../routing/files/register";
import { varnishDialInService } from "../vcl/dial-in";
import { registerVcl } from "../vcl/register";
import { vclTrialsService } from "../vcl/try-service";

/** Something that works by itself while Sluice runs. `start` resolves with the way to stop it. */
export type Service = {
  readonly name: string;
  start(): Promise<() => Promise<void>>;
};

/** Registers a domain's kinds with the engine, and who counts; all run before changes of an earlier process are taken up. */
export const kinds: readonly (() => void)[] = [
  registerPurge,
  registerServices,
  registerAlerts,
  registerCloudflare,
  registerVcl,
  registerRouting,
  registerBackup,
  countChanges,
];

/** Started in this order and stopped in the opposite one. One that fails does not keep the others from starting. */
export const services: readonly Service[] = [
  authService,
  annotationsService,
  // Before the looks begin: the first one counts too.
  healthService,
  incidentsService,
  notifyService,
  // Nodes that dial in are looked at by the connections.
  varnishDialInService,
  vclTrialsService,
  connectionsService,
  // It ends the looks at repositories, which take long, before those are waited for.
  backupIndexService,
  zoneTrafficService,
  attacksService,
  riverService,
  alertsService,
  servicesService,
  routingMaintenanceService,
  purgeOutbox,
  purgeGateway,
];

// Incidents and announced work, over RPC and REST.
import { postMortem } from "../incidents/markdown";
import {
  acknowledge,
  addNote,
  announce,
  assign,
  closeIncident,
  endMaintenance,
  incidentDetail,
  listIncidents,
  maintenances,
  openIncident,
} from "../incidents/service";
import { os } from "./base";

export const incidents = {
  list: os.incidents.list.handler(({ input }) => listIncidents(input.before ?? null)),
  get: os.incidents.get.handler(({ input, context }) => incidentDetail(input.id, context.actor)),
  open: os.incidents.open.handler(({ input, context }) => openIncident(input, context.actor)),
  acknowledge: os.incidents.acknowledge.handler(({ input, context }) => acknowledge(input.id, context.actor)),
  assign: os.incidents.assign.handler(({ input, context }) =>
    assign(input.id, input.assignee, context.actor),
  ),
  note: os.incidents.note.handler(({ input, context }) => addNote(input.id, input.text, context.actor)),
  close: os.incidents.close.handler(({ input, context }) =>
    closeIncident(input.id, context.actor, input.note || null),
  ),
  postMortem: os.incidents.postMortem.handler(async ({ input, context }) => ({
    markdown: postMortem(await incidentDetail(input.id, context.actor)),
  })),
  maintenances: os.incidents.maintenances.handler(() => maintenances()),
  announce: os.incidents.announce.handler(({ input, context }) => announce(input, context.actor)),
  endMaintenance: os.incidents.endMaintenance.handler(({ input }) => endMaintenance(input.id)),
};

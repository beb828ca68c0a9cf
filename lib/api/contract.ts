// The whole API in one contract: pages use it through RPC, everybody else through REST under /api/v1.
import { eventIterator, oc } from "@orpc/contract";
import * as z from "zod";
import {
  alertsSnapshot,
  silencePlan,
  silencePreview,
  silenceRequest,
  unsilenceInput,
} from "../alerts/contract";
import * as backup from "../backup/contract";
import { changeDetail, changeFilter, changeRow } from "../changes/contract";
import {
  developmentInput,
  developmentPlan,
  securityPlan,
  securityRequest,
  zoneState,
} from "../cloudflare/contract";
import { connection } from "../connections/contract";
import {
  componentHistory,
  healthSnapshot,
  river,
  signals,
  signalsAsk,
  stateChange,
} from "../health/contract";
import {
  incidentDetail,
  incidentId,
  incidentRow,
  maintenanceRow,
  newIncident,
  newMaintenance,
  suspect,
} from "../incidents/contract";
import { liveEvent } from "../live/contract";
import { channelRow, deliveryRow } from "../notify/contract";
import {
  doctorFinding,
  outboxNode,
  purgePlan,
  purgeProof,
  purgeRequest,
  siteSummary,
} from "../purge/contract";
import { routed, routedRequest } from "../routing/contract";
import { actRequest as routingActRequest } from "../routing/edit/contract";
import * as files from "../routing/files/contract";
import { traefikSeen } from "../routing/overview/contract";
import { actInput, actPlan, actRequest } from "../services/acts/contract";
import {
  deathRow,
  goneRow,
  imageRow,
  imageTags,
  serviceDetail,
  serviceRef,
  servicesEvent,
  servicesSnapshot,
  usageHistory,
  usageRange,
} from "../services/contract";
import { deployChoices, deployInput, deployPlan, deployRequest } from "../services/deploy/contract";
import { logEvent, logQuery } from "../services/logs/contract";
import { swarmChoices, swarmInput, swarmName, swarmPlan, swarmState } from "../services/swarm/contract";
import { trace, traceRequest } from "../trace/contract";
import { apiKeyRow, createdApiKey, me, newApiKey, newUser, updateUser, userRow } from "../users/contract";
import * as vcl from "../vcl/contract";
import { nodeFacts } from "../vcl/facts/contract";
import { tryEndInput, tryInput, tryPlan, tryRequest, vclTrial } from "../vcl/try/contract";

const id = z.object({ id: z.coerce.number().int().positive() });
const purgeChange = changeRow.extend({ plan: purgePlan, proof: purgeProof.nullable() });
/** 200: it has ended, with its proof; 202: it goes on, and its address tells how it ends. */
const purgeAnswer = <S extends 200 | 202>(status: S) =>
  z.object({ status: z.literal(status), headers: z.object({ location: z.string() }), body: purgeChange });

export const contract = {
  purges: {
    plan: oc
      .route({
        method: "POST",
        path: "/purges/plan",
        summary: "What a purge would do, layer by layer, and what is cached now",
      })
      .input(purgeRequest)
      .output(purgePlan),
    create: oc
      .route({
        method: "POST",
        path: "/purges",
        summary: "Purge; waits for the proof up to wait_ms, else answers with the running change",
        outputStructure: "detailed",
        inputStructure: "compact",
      })
      .input(purgeRequest.extend({ wait_ms: z.int().min(0).max(60_000).default(0) }))
      .output(z.union([purgeAnswer(200), purgeAnswer(202)])),
    get: oc
      .route({ method: "GET", path: "/purges/{id}", summary: "A purge with its plan and proof" })
      .input(id)
      .output(purgeChange),
    objects: oc
      .route({ method: "GET", path: "/purges/{id}/objects", summary: "Every object of a purge" })
      .input(
        id.extend({
          after: z.coerce.number().int().min(0).default(0),
          limit: z.coerce.number().int().min(1).max(1000).default(200),
        }),
      )
      .output(
        z.object({
          objects: z.array(
            z.object({
              seq: z.int(),
              type: z.string(),
              host: z.string(),
              value: z.string(),
              cause: z.json().nullable(),
              count: z.int(),
            }),
          ),
          next: z.int().nullable(),
        }),
      ),
    sites: oc
      .route({ method: "GET", path: "/sites", summary: "The sites you may purge" })
      .output(z.array(siteSummary)),
    outbox: oc
      .route({ method: "GET", path: "/outbox", summary: "Purges waiting for an unreachable node" })
      .output(z.array(outboxNode)),
    doctor: oc
      .route({
        method: "POST",
        path: "/systems/{kind}/{name}/doctor",
        summary: "Purge doctor: a harmless canary through one node or Cloudflare",
      })
      .input(
        z.object({ kind: z.enum(["varnish", "cloudflare"]), name: z.string(), site: z.string().optional() }),
      )
      .output(z.array(doctorFinding)),
  },
  changes: {
    list: oc
      .route({ method: "GET", path: "/changes", summary: "History, newest first" })
      .input(
        changeFilter.extend({
          cursor: z.coerce.number().int().optional(),
          limit: z.coerce.number().int().min(1).max(200).default(50),
        }),
      )
      .output(z.object({ rows: z.array(changeRow), next: z.int().nullable() })),
    get: oc
      .route({ method: "GET", path: "/changes/{id}", summary: "One change with plan, log and evidence" })
      .input(id)
      .output(changeDetail),
    cancel: oc
      .route({ method: "POST", path: "/changes/{id}/cancel", summary: "Cancel a running change" })
      .input(id)
      .output(changeRow),
    undo: oc
      .route({ method: "POST", path: "/changes/{id}/undo", summary: "Take a change back, where it can be" })
      .input(id)
      .output(changeRow),
  },
  connections: {
    list: oc
      .route({
        method: "GET",
        path: "/systems",
        summary: "Every configured or discovered system and its state",
      })
      .output(z.array(connection)),
    test: oc
      .route({ method: "POST", path: "/systems/{kind}/{name}/test", summary: "Look at one system now" })
      .input(z.object({ kind: z.string(), name: z.string() }))
      .output(connection),
  },
  health: {
    river: oc
      .route({
        method: "GET",
        path: "/health/river",
        summary: "What flows through each component, and the last hour",
      })
      .output(river),
    events: oc
      .route({
        method: "GET",
        path: "/health/events",
        summary: "Components that changed their state in the last day, newest first",
      })
      .output(z.array(stateChange)),
    list: oc
      .route({
        method: "GET",
        path: "/health",
        summary: "Every component of the stack and its state, from the visitors inwards",
      })
      .output(healthSnapshot),
    get: oc
      .route({
        method: "GET",
        path: "/health/{kind}/{name}",
        summary: "One component: its states, its ninety days, its error budget",
      })
      .input(z.object({ kind: z.string().max(40), name: z.string().max(100) }))
      .output(componentHistory),
    signals: oc
      .route({
        method: "GET",
        path: "/health/{kind}/{name}/signals",
        summary: "One component's figures from Prometheus over a range, what is usual, and the changes in it",
      })
      .input(signalsAsk)
      .output(signals),
  },
  incidents: {
    list: oc
      .route({ method: "GET", path: "/incidents", summary: "Incidents, the newest first, fifty at a time" })
      .input(z.object({ before: z.coerce.number().int().positive().optional() }))
      .output(z.array(incidentRow)),
    get: oc
      .route({
        method: "GET",
        path: "/incidents/{id}",
        summary: "An incident with its timeline, the changes before it, and what was seen at its onset",
      })
      .input(incidentId)
      .output(incidentDetail),
    open: oc
      .route({ method: "POST", path: "/incidents", summary: "Open an incident by hand" })
      .input(newIncident)
      .output(incidentRow),
    acknowledge: oc
      .route({ method: "POST", path: "/incidents/{id}/acknowledge", summary: "Say that you look after it" })
      .input(incidentId)
      .output(incidentRow),
    assign: oc
      .route({ method: "POST", path: "/incidents/{id}/assign", summary: "Give it to somebody" })
      .input(incidentId.extend({ assignee: z.string().trim().min(1).max(100) }))
      .output(incidentRow),
    note: oc
      .route({ method: "POST", path: "/incidents/{id}/notes", summary: "Write a note into its timeline" })
      .input(incidentId.extend({ text: z.string().trim().min(1).max(5000) }))
      .output(incidentRow),
    close: oc
      .route({ method: "POST", path: "/incidents/{id}/close", summary: "Close it" })
      .input(incidentId.extend({ note: z.string().trim().max(5000).optional() }))
      .output(incidentRow),
    postMortem: oc
      .route({
        method: "GET",
        path: "/incidents/{id}/post-mortem",
        summary: "An incident as Markdown",
      })
      .input(incidentId)
      .output(z.object({ markdown: z.string() })),
    maintenances: oc
      .route({ method: "GET", path: "/maintenances", summary: "Announced work that is not over" })
      .output(z.array(maintenanceRow)),
    announce: oc
      .route({
        method: "POST",
        path: "/maintenances",
        summary: "Announce work: what fails meanwhile opens no incident",
      })
      .input(newMaintenance)
      .output(maintenanceRow),
    endMaintenance: oc
      .route({ method: "POST", path: "/maintenances/{id}/end", summary: "End announced work now" })
      .input(incidentId)
      .output(maintenanceRow),
  },
  alerts: {
    list: oc
      .route({
        method: "GET",
        path: "/alerts",
        summary:
          "Alerts of Prometheus, Alertmanager and Sluice itself, worst first, and the silences that are not over",
      })
      .output(alertsSnapshot),
    suspects: oc
      .route({
        method: "GET",
        path: "/alerts/{id}/suspects",
        summary: "What was done in the hour before an alert began, most likely first",
      })
      .input(z.object({ id: z.string().min(1).max(60) }))
      .output(z.array(suspect)),
    planSilence: oc
      .route({ method: "POST", path: "/silences/plan", summary: "Which alerts a silence would reach now" })
      .input(silencePreview)
      .output(silencePlan),
    silence: oc
      .route({
        method: "POST",
        path: "/silences",
        summary: "Silence alerts in Alertmanager; answers with the running change",
      })
      .input(silenceRequest)
      .output(changeRow),
    expire: oc
      .route({
        method: "POST",
        path: "/silences/{id}/expire",
        summary: "End a silence now; answers with the running change",
      })
      .input(unsilenceInput)
      .output(changeRow),
  },
  notices: {
    channels: oc
      .route({
        method: "GET",
        path: "/notices/channels",
        summary: "Where notices go, and how the last one fared",
      })
      .output(z.array(channelRow)),
    list: oc
      .route({ method: "GET", path: "/notices", summary: "Notices, the newest first, fifty at a time" })
      .input(z.object({ before: z.coerce.number().int().positive().optional() }))
      .output(z.array(deliveryRow)),
    test: oc
      .route({ method: "POST", path: "/notices/test", summary: "Send a test through a channel" })
      .input(z.object({ channel: z.string().min(1).max(100) }))
      .output(deliveryRow),
    retry: oc
      .route({ method: "POST", path: "/notices/{id}/retry", summary: "Try a notice that failed again" })
      .input(z.object({ id: z.coerce.number().int().positive() }))
      .output(deliveryRow),
  },
  services: {
    list: oc
      .route({ method: "GET", path: "/services", summary: "Every container of every host, as last seen" })
      .output(servicesSnapshot),
    watch: oc
      .route({ method: "GET", path: "/services/watch", summary: "A snapshot, then what changes" })
      .output(eventIterator(servicesEvent)),
    get: oc
      .route({
        method: "GET",
        path: "/services/{host}/{id}",
        summary: "One container: settings (of its environment the names only), health, events, deaths",
      })
      .input(serviceRef)
      .output(serviceDetail),
    usage: oc
      .route({
        method: "GET",
        path: "/services/{host}/{id}/usage",
        summary: "What a container used in the last hour, ten seconds a step",
      })
      .input(serviceRef)
      .output(usageHistory),
    longerUsage: oc
      .route({
        method: "GET",
        path: "/services/{host}/{id}/usage/{range}",
        summary: "What a container used in the last 6h, 24h, 7d or 30d, from Prometheus",
      })
      .input(serviceRef.extend({ range: usageRange }))
      .output(usageHistory),
    deaths: oc
      .route({
        method: "GET",
        path: "/services/{host}/{id}/deaths",
        summary: "How containers of this name died, also when there is none any more",
      })
      .input(serviceRef)
      .output(z.array(deathRow)),
    gone: oc
      .route({
        method: "GET",
        path: "/services/gone",
        summary: "Containers that died and are not there any more",
      })
      .output(z.array(goneRow)),
    logs: oc
      .route({
        method: "POST",
        path: "/services/logs",
        summary: "Logs of up to twenty containers in time order: history, then what comes",
      })
      .input(logQuery)
      .output(eventIterator(logEvent)),
    planAct: oc
      .route({
        method: "POST",
        path: "/services/acts/plan",
        summary: "What an act would do, to which containers and in which order",
      })
      .input(actInput)
      .output(actPlan),
    act: oc
      .route({
        method: "POST",
        path: "/services/acts",
        summary: "Start, stop, restart, pause, kill or remove; answers with the running change",
      })
      .input(actRequest)
      .output(changeRow),
    choices: oc
      .route({
        method: "GET",
        path: "/services/{host}/{id}/choices",
        summary: "What could be deployed: its repository's tags, and what it ran before",
      })
      .input(serviceRef)
      .output(deployChoices),
    planDeploy: oc
      .route({
        method: "POST",
        path: "/services/deploys/plan",
        summary: "What another image would change, asked of the registry",
      })
      .input(deployInput)
      .output(deployPlan),
    deploy: oc
      .route({
        method: "POST",
        path: "/services/deploys",
        summary: "Deploy another image; it is watched, and rolled back when it is not good",
      })
      .input(deployRequest)
      .output(changeRow),
    images: oc
      .route({
        method: "GET",
        path: "/images",
        summary: "The images of what runs, and whether there are newer ones",
      })
      .output(z.array(imageRow)),
    imageTags: oc
      .route({
        method: "GET",
        path: "/images/tags",
        summary:
          "Five tags of an image's repository from the `from`th on, newer versions first, with sizes and dates",
      })
      .input(
        z.object({
          host: z.string().min(1).max(100),
          image: z.string().min(1).max(400),
          from: z.coerce.number().int().min(0).max(5000).default(0),
        }),
      )
      .output(imageTags),
    checkImage: oc
      .route({ method: "POST", path: "/images/check", summary: "Ask the registry about one image now" })
      .input(z.object({ host: z.string().min(1).max(100), image: z.string().min(1).max(400) }))
      .output(imageRow),
  },
  swarm: {
    get: oc
      .route({ method: "GET", path: "/swarm/{host}", summary: "Nodes, services and tasks of a Swarm" })
      .input(z.object({ host: z.string().min(1).max(100) }))
      .output(swarmState),
    plan: oc
      .route({ method: "POST", path: "/swarm/acts/plan", summary: "What an act on a Swarm would change" })
      .input(swarmInput)
      .output(swarmPlan),
    act: oc
      .route({
        method: "POST",
        path: "/swarm/acts",
        summary: "Scale, deploy or restart a service, or drain a node; answers with the running change",
      })
      .input(swarmInput)
      .output(changeRow),
    choices: oc
      .route({
        method: "GET",
        path: "/swarm/{host}/services/{name}/choices",
        summary:
          "What a Swarm's service could be deployed with: tags of its repository, and how it was before",
      })
      .input(z.object({ host: z.string().min(1).max(100), name: swarmName }))
      .output(swarmChoices),
  },
  cloudflare: {
    get: oc
      .route({
        method: "GET",
        path: "/cloudflare/{name}",
        summary: "A zone: its last hour by Cloudflare's count, its security level and development mode",
      })
      .input(z.object({ name: z.string().min(1).max(100) }))
      .output(zoneState),
    planSecurity: oc
      .route({
        method: "POST",
        path: "/cloudflare/security/plan",
        summary: "What another security level would change, and for which sites",
      })
      .input(securityRequest)
      .output(securityPlan),
    security: oc
      .route({
        method: "POST",
        path: "/cloudflare/security",
        summary: "Set a zone's security level; under_attack ends by itself; answers with the running change",
      })
      .input(securityRequest)
      .output(changeRow),
    planDevelopment: oc
      .route({
        method: "POST",
        path: "/cloudflare/development/plan",
        summary: "What development mode would change, and for which sites",
      })
      .input(developmentInput)
      .output(developmentPlan),
    development: oc
      .route({
        method: "POST",
        path: "/cloudflare/development",
        summary: "Turn a zone's development mode on or off; answers with the running change",
      })
      .input(developmentInput)
      .output(changeRow),
  },
  vcl: {
    clusters: oc
      .route({
        method: "GET",
        path: "/vcl/clusters",
        summary:
          "Each cluster of Varnish: what its nodes run, and whether that is what was rolled out to them",
      })
      .output(z.array(vcl.cluster)),
    running: oc
      .route({
        method: "GET",
        path: "/vcl/nodes/{node}/running",
        summary: "The VCL that a node serves, as it keeps it",
      })
      .input(z.object({ node: vcl.clusterName }))
      .output(vcl.runningVcl),
    node: oc
      .route({
        method: "GET",
        path: "/vcl/nodes/{node}",
        summary:
          "What a Varnish tells of itself: VCLs, backends and their probes, bans, parameters, counters",
      })
      .input(z.object({ node: vcl.clusterName }))
      .output(nodeFacts),
    templates: oc
      .route({ method: "GET", path: "/vcl/templates", summary: "VCL to begin with" })
      .output(z.array(z.object({ key: z.string(), files: vcl.vclFiles }))),
    check: oc
      .route({
        method: "POST",
        path: "/vcl/check",
        summary:
          "What every node's compiler says to a draft, at its place, and Sluice's own warnings; nothing is kept",
      })
      .input(vcl.vclDraft)
      .output(vcl.vclChecked),
    tests: oc
      .route({
        method: "POST",
        path: "/vcl/tests",
        summary: "Run a draft's tests on a throw-away Varnish; null where none is installed beside Sluice",
      })
      .input(vcl.vclDraft.extend({ tests: vcl.vclTests.min(1) }))
      .output(z.array(vcl.vclTestResult).nullable()),
    revisions: oc
      .route({
        method: "GET",
        path: "/vcl/clusters/{cluster}/revisions",
        summary: "A cluster's revisions, newest first",
      })
      .input(z.object({ cluster: vcl.clusterName }))
      .output(z.array(vcl.revisionRow)),
    revision: oc
      .route({
        method: "GET",
        path: "/vcl/clusters/{cluster}/revisions/{number}",
        summary: "One revision with its files and its tests",
      })
      .input(z.object({ cluster: vcl.clusterName, number: z.coerce.number().pipe(vcl.revisionNumber) }))
      .output(vcl.revision),
    save: oc
      .route({
        method: "POST",
        path: "/vcl/revisions",
        summary:
          "Save a revision; nothing is rolled out; refused when another was saved since the work on it began",
      })
      .input(vcl.savedVcl)
      .output(vcl.revision),
    planRollout: oc
      .route({
        method: "POST",
        path: "/vcl/rollouts/plan",
        summary: "What a roll-out would change on each node, and how its first node would be watched",
      })
      .input(vcl.rolloutInput)
      .output(vcl.rolloutPlan),
    rollout: oc
      .route({
        method: "POST",
        path: "/vcl/rollouts",
        summary:
          "Roll revisions out: compiled by all nodes or by none, tried on one first; answers with the running change",
      })
      .input(vcl.rolloutRequest)
      .output(changeRow),
    trial: oc
      .route({
        method: "GET",
        path: "/vcl/clusters/{cluster}/trial",
        summary: "The revision that one person tries now, or null; how it is opened, for that person only",
      })
      .input(z.object({ cluster: vcl.clusterName }))
      .output(vclTrial.nullable()),
    planTry: oc
      .route({
        method: "POST",
        path: "/vcl/trials/plan",
        summary: "What a trial of a revision would leave as it is on each node",
      })
      .input(tryInput)
      .output(tryPlan),
    try: oc
      .route({
        method: "POST",
        path: "/vcl/trials",
        summary:
          "Serve a revision to one browser only, by a cookie or a header, for some minutes; answers with the running change",
      })
      .input(tryRequest)
      .output(changeRow),
    endTry: oc
      .route({
        method: "POST",
        path: "/vcl/trials/end",
        summary: "End a trial: everybody gets the same again; answers with the running change",
      })
      .input(tryEndInput.pick({ cluster: true, change: true }))
      .output(changeRow),
  },
  routing: {
    match: oc
      .route({
        method: "POST",
        path: "/routing/match",
        summary:
          "Which router of each Traefik would take a request, and why the others do not; nothing is sent",
      })
      .input(routedRequest)
      .output(z.array(routed)),
    overview: oc
      .route({
        method: "GET",
        path: "/routing/traefiks",
        summary:
          "What each Traefik does now: routers, services, middlewares (no options), certificates, conflicts, figures",
      })
      .output(z.array(traefikSeen)),
    trace: oc
      .route({
        method: "POST",
        path: "/routing/trace",
        summary:
          "Ask for one address at every layer of its site: what each did, who answered, where a fault begins",
      })
      .input(traceRequest)
      .output(trace),
    directories: oc
      .route({
        method: "GET",
        path: "/routing/files",
        summary: "Of each Traefik: whether Sluice may write its files, and whether what is there is in force",
      })
      .output(z.array(files.traefikFiles)),
    files: oc
      .route({
        method: "GET",
        path: "/routing/files/{traefik}",
        summary: "A Traefik's files as they are; secrets in them stand as marks",
      })
      .input(z.object({ traefik: files.traefikName }))
      .output(files.filesNow),
    words: oc
      .route({
        method: "GET",
        path: "/routing/files/{traefik}/words",
        summary: "What may be written in a Traefik's files: fields, and names that exist",
      })
      .input(z.object({ traefik: files.traefikName }))
      .output(files.configWords),
    check: oc
      .route({
        method: "POST",
        path: "/routing/files/check",
        summary:
          "What Traefik would make of a draft, what it would change, and which recent requests would go elsewhere; nothing is kept",
      })
      .input(files.fileDraft)
      .output(files.filesChecked),
    act: oc
      .route({
        method: "POST",
        path: "/routing/files/act",
        summary: "A draft with a usual act done in it (a route, redirects, basic auth …); nothing is kept",
      })
      .input(routingActRequest)
      .output(files.configFiles),
    revisions: oc
      .route({
        method: "GET",
        path: "/routing/files/{traefik}/revisions",
        summary: "Revisions of a Traefik's files, newest first",
      })
      .input(z.object({ traefik: files.traefikName }))
      .output(z.array(files.fileRevisionRow)),
    revision: oc
      .route({
        method: "GET",
        path: "/routing/files/{traefik}/revisions/{number}",
        summary: "One revision with its files; secrets in them stand as marks",
      })
      .input(z.object({ traefik: files.traefikName, number: z.coerce.number().pipe(files.revisionNumber) }))
      .output(files.fileRevision),
    save: oc
      .route({
        method: "POST",
        path: "/routing/files/revisions",
        summary:
          "Save a revision; nothing is put in force; refused when another was saved since the work on it began",
      })
      .input(files.savedFiles)
      .output(files.fileRevisionRow),
    planApply: oc
      .route({
        method: "POST",
        path: "/routing/applies/plan",
        summary: "What putting a revision in force would change, for which requests, and how it is watched",
      })
      .input(files.applyInput)
      .output(files.applyPlan),
    apply: oc
      .route({
        method: "POST",
        path: "/routing/applies",
        summary:
          "Put a revision in force: written, seen in Traefik, probed, watched, else taken back; answers with the running change",
      })
      .input(files.applyRequest)
      .output(changeRow),
  },
  backup: {
    repositories: oc
      .route({
        method: "GET",
        path: "/backup/repositories",
        summary: "Each repository of restic as it was seen last: snapshots, size, locks, and its index",
      })
      .output(z.array(backup.repository)),
    snapshots: oc
      .route({
        method: "GET",
        path: "/backup/repositories/{repository}/snapshots",
        summary: "Snapshots, newest first, by host, tag and path",
      })
      .input(backup.snapshotsRequest)
      .output(backup.snapshotList),
    folder: oc
      .route({
        method: "GET",
        path: "/backup/repositories/{repository}/snapshots/{snapshot}/folder",
        summary: "What is in a folder of a snapshot",
      })
      .input(backup.folderRequest)
      .output(backup.folder),
    search: oc
      .route({
        method: "GET",
        path: "/backup/search",
        summary: "Files and folders by a part of their name, over every snapshot that is in the index",
      })
      .input(backup.searchRequest)
      .output(backup.found),
    history: oc
      .route({
        method: "GET",
        path: "/backup/repositories/{repository}/history",
        summary: "How one path was over time, newest first",
      })
      .input(backup.historyRequest)
      .output(backup.fileHistory),
    difference: oc
      .route({
        method: "GET",
        path: "/backup/repositories/{repository}/difference",
        summary: "What differs between two snapshots in a folder, with sums of what is below",
      })
      .input(backup.differenceRequest)
      .output(backup.difference),
    planUnlock: oc
      .route({
        method: "POST",
        path: "/backup/unlocks/plan",
        summary: "Which locks a repository has, who holds them, and which would be taken away",
      })
      .input(backup.unlockInput)
      .output(backup.unlockPlan),
    unlock: oc
      .route({
        method: "POST",
        path: "/backup/unlocks",
        summary:
          "Take stale locks away, and look again whether they are gone; answers with the running change",
      })
      .input(backup.unlockRequest)
      .output(changeRow),
    planInit: oc
      .route({
        method: "POST",
        path: "/backup/inits/plan",
        summary: "Whether a repository can be made at its address",
      })
      .input(backup.initInput)
      .output(backup.initPlan),
    init: oc
      .route({
        method: "POST",
        path: "/backup/inits",
        summary: "Make a repository at its address; answers with the running change",
      })
      .input(backup.initRequest)
      .output(changeRow),
  },
  users: {
    me: oc.route({ method: "GET", path: "/me", summary: "Who you are and what you may do" }).output(me),
    list: oc.route({ method: "GET", path: "/users", summary: "All users" }).output(z.array(userRow)),
    create: oc
      .route({ method: "POST", path: "/users", summary: "Make a user; answers with a one-time password" })
      .input(newUser)
      .output(z.object({ user: userRow, password: z.string() })),
    update: oc
      .route({ method: "PATCH", path: "/users/{id}", summary: "Change role, sites or access" })
      .input(updateUser)
      .output(userRow),
    remove: oc
      .route({ method: "DELETE", path: "/users/{id}", summary: "Remove a user" })
      .input(z.object({ id: z.string() }))
      .output(z.object({ ok: z.literal(true) })),
    resetPassword: oc
      .route({
        method: "POST",
        path: "/users/{id}/password",
        summary: "Give a new one-time password; signs the user out everywhere",
      })
      .input(z.object({ id: z.string() }))
      .output(z.object({ password: z.string() })),
    keys: oc.route({ method: "GET", path: "/keys", summary: "Your API keys" }).output(z.array(apiKeyRow)),
    createKey: oc
      .route({ method: "POST", path: "/keys", summary: "Make an API key; it is shown once" })
      .input(newApiKey)
      .output(createdApiKey),
    removeKey: oc
      .route({ method: "DELETE", path: "/keys/{id}", summary: "Revoke an API key" })
      .input(z.object({ id: z.string() }))
      .output(z.object({ ok: z.literal(true) })),
  },
  live: {
    stream: oc
      .route({ method: "GET", path: "/live", summary: "One event stream per tab: snapshot, then changes" })
      .output(eventIterator(liveEvent)),
  },
};

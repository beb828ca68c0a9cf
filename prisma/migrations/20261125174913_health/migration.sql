-- CreateTable
CREATE TABLE "HealthState" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "component" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "before" TEXT,
    "since" DATETIME NOT NULL,
    "problem" TEXT
);

-- CreateTable
CREATE TABLE "HealthWatch" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "at" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "Incident" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "title" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "cause" TEXT,
    "openedBy" TEXT NOT NULL,
    "openedAt" DATETIME NOT NULL,
    "acknowledgedBy" TEXT,
    "acknowledgedAt" DATETIME,
    "assignee" TEXT,
    "closedBy" TEXT,
    "closedAt" DATETIME,
    "evidence" TEXT,
    "ticket" TEXT
);

-- CreateTable
CREATE TABLE "IncidentComponent" (
    "incidentId" INTEGER NOT NULL,
    "component" TEXT NOT NULL,
    "since" DATETIME NOT NULL,
    "until" DATETIME,

    PRIMARY KEY ("incidentId", "component"),
    CONSTRAINT "IncidentComponent_incidentId_fkey" FOREIGN KEY ("incidentId") REFERENCES "Incident" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "IncidentEntry" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "incidentId" INTEGER NOT NULL,
    "at" DATETIME NOT NULL,
    "type" TEXT NOT NULL,
    "actor" TEXT,
    "text" TEXT,
    "data" TEXT,
    CONSTRAINT "IncidentEntry_incidentId_fkey" FOREIGN KEY ("incidentId") REFERENCES "Incident" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateTable
CREATE TABLE "Delivery" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "channel" TEXT NOT NULL,
    "event" TEXT NOT NULL,
    "incidentId" INTEGER,
    "changeId" INTEGER,
    "dedupe" TEXT NOT NULL,
    "payload" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "lastError" TEXT,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "nextAttemptAt" DATETIME NOT NULL,
    "sentAt" DATETIME
);

-- CreateTable
CREATE TABLE "Maintenance" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "title" TEXT NOT NULL,
    "components" TEXT NOT NULL,
    "startsAt" DATETIME NOT NULL,
    "endsAt" DATETIME NOT NULL,
    "endedAt" DATETIME,
    "createdBy" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "Heartbeat" (
    "name" TEXT NOT NULL PRIMARY KEY,
    "at" DATETIME NOT NULL,
    "state" TEXT NOT NULL,
    "detail" TEXT
);

-- CreateIndex
CREATE INDEX "HealthState_component_since_idx" ON "HealthState"("component", "since");

-- CreateIndex
CREATE INDEX "HealthState_since_idx" ON "HealthState"("since");

-- CreateIndex
CREATE INDEX "Incident_state_id_idx" ON "Incident"("state", "id");

-- CreateIndex
CREATE INDEX "IncidentEntry_incidentId_id_idx" ON "IncidentEntry"("incidentId", "id");

-- CreateIndex
CREATE INDEX "Delivery_state_nextAttemptAt_idx" ON "Delivery"("state", "nextAttemptAt");

-- CreateIndex
CREATE INDEX "Delivery_createdAt_idx" ON "Delivery"("createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "Delivery_channel_dedupe_key" ON "Delivery"("channel", "dedupe");

-- CreateIndex
CREATE INDEX "Maintenance_endsAt_idx" ON "Maintenance"("endsAt");

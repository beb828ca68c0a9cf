-- CreateTable
CREATE TABLE "RoutingRevision" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "traefik" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "parent" INTEGER,
    "files" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "author" TEXT NOT NULL,
    "reason" TEXT,
    "origin" TEXT NOT NULL,
    "at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- CreateTable
CREATE TABLE "RoutingState" (
    "traefik" TEXT NOT NULL PRIMARY KEY,
    "revision" INTEGER NOT NULL,
    "hash" TEXT NOT NULL,
    "changeId" INTEGER NOT NULL,
    "at" DATETIME NOT NULL
);

-- CreateTable
CREATE TABLE "RoutingMaintenance" (
    "traefik" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "until" DATETIME NOT NULL,
    "by" TEXT NOT NULL,

    PRIMARY KEY ("traefik", "name")
);

-- CreateIndex
CREATE INDEX "RoutingRevision_traefik_hash_idx" ON "RoutingRevision"("traefik", "hash");

-- CreateIndex
CREATE UNIQUE INDEX "RoutingRevision_traefik_number_key" ON "RoutingRevision"("traefik", "number");

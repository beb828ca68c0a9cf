-- CreateTable
CREATE TABLE "VclTrial" (
    "changeId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "cluster" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "ownerType" TEXT NOT NULL,
    "ownerId" TEXT,
    "ownerName" TEXT NOT NULL,
    "token" TEXT NOT NULL,
    "enter" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "startedAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "endsAt" DATETIME NOT NULL,
    "endedAt" DATETIME
);

-- CreateIndex
CREATE INDEX "VclTrial_cluster_state_idx" ON "VclTrial"("cluster", "state");

-- CreateTable
CREATE TABLE "SwarmSpec" (
    "changeId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "host" TEXT NOT NULL,
    "serviceId" TEXT NOT NULL,
    "image" TEXT NOT NULL,
    "at" DATETIME NOT NULL,
    "spec" TEXT NOT NULL
);

-- CreateIndex
CREATE INDEX "SwarmSpec_host_serviceId_changeId_idx" ON "SwarmSpec"("host", "serviceId", "changeId");

-- CreateTable
CREATE TABLE "Annotation" (
    "changeId" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "grafana" TEXT,
    "grafanaId" INTEGER,
    "told" TEXT,
    "pending" BOOLEAN NOT NULL,
    "revision" INTEGER NOT NULL DEFAULT 1,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "nextAttemptAt" DATETIME NOT NULL,
    CONSTRAINT "Annotation_changeId_fkey" FOREIGN KEY ("changeId") REFERENCES "Change" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- CreateIndex
CREATE INDEX "Annotation_pending_nextAttemptAt_idx" ON "Annotation"("pending", "nextAttemptAt");

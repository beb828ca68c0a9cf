-- CreateTable
CREATE TABLE "VclRevision" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "cluster" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "parent" INTEGER,
    "files" TEXT NOT NULL,
    "tests" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "author" TEXT NOT NULL,
    "reason" TEXT,
    "origin" TEXT NOT NULL,
    "at" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- CreateTable
CREATE TABLE "VclNode" (
    "node" TEXT NOT NULL PRIMARY KEY,
    "cluster" TEXT NOT NULL,
    "revision" INTEGER NOT NULL,
    "hash" TEXT NOT NULL,
    "changeId" INTEGER NOT NULL,
    "at" DATETIME NOT NULL
);

-- CreateIndex
CREATE INDEX "VclRevision_cluster_hash_idx" ON "VclRevision"("cluster", "hash");

-- CreateIndex
CREATE UNIQUE INDEX "VclRevision_cluster_number_key" ON "VclRevision"("cluster", "number");

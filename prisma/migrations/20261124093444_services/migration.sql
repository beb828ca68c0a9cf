-- CreateTable
CREATE TABLE "ContainerDeath" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "host" TEXT NOT NULL,
    "container" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "image" TEXT NOT NULL,
    "at" DATETIME NOT NULL,
    "exitCode" INTEGER NOT NULL,
    "oom" BOOLEAN NOT NULL,
    "requested" BOOLEAN NOT NULL,
    "lines" TEXT NOT NULL
);

-- CreateTable
CREATE TABLE "ImageCheck" (
    "host" TEXT NOT NULL,
    "image" TEXT NOT NULL,
    "imageId" TEXT NOT NULL,
    "checkedAt" DATETIME NOT NULL,
    "result" TEXT NOT NULL,

    PRIMARY KEY ("host", "image", "imageId")
);

-- CreateIndex
CREATE INDEX "ContainerDeath_host_name_at_idx" ON "ContainerDeath"("host", "name", "at");

-- CreateIndex
CREATE UNIQUE INDEX "ContainerDeath_host_container_at_key" ON "ContainerDeath"("host", "container", "at");

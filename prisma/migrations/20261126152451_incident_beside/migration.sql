-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_IncidentComponent" (
    "incidentId" INTEGER NOT NULL,
    "component" TEXT NOT NULL,
    "since" DATETIME NOT NULL,
    "until" DATETIME,
    "beside" BOOLEAN NOT NULL DEFAULT false,

    PRIMARY KEY ("incidentId", "component"),
    CONSTRAINT "IncidentComponent_incidentId_fkey" FOREIGN KEY ("incidentId") REFERENCES "Incident" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "new_IncidentComponent" ("component", "incidentId", "since", "until") SELECT "component", "incidentId", "since", "until" FROM "IncidentComponent";
DROP TABLE "IncidentComponent";
ALTER TABLE "new_IncidentComponent" RENAME TO "IncidentComponent";
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;

// The arrows of docs/architecture.md, as rules: app -> components -> contracts; app -> lib/api -> lib/<domain> -> lib/systems.
/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "systems-know-no-domain",
      comment: "A system speaks its protocol; it knows no other system, no database, no React.",
      severity: "error",
      from: { path: "^lib/systems/([^/]+)/" },
      to: {
        path: "^(app|components|lib)/",
        pathNot: "^lib/(systems/$1/|systems/[^/]+\\.ts$|errors/|runtime/singleton\\.ts$)",
      },
    },
    {
      name: "contracts-are-browser-safe",
      severity: "error",
      from: { path: "^lib/.*/contract\\.ts$" },
      to: { path: "^(app|components|lib)/", pathNot: "(^lib/.*/contract\\.ts$|^lib/errors/codes\\.ts$)" },
    },
    {
      name: "components-see-contracts-only",
      severity: "error",
      from: { path: "^components/" },
      to: {
        path: "^lib/",
        pathNot:
          "(^lib/.*/contract\\.ts$|^lib/errors/codes\\.ts$|^lib/api/client\\.ts$|^lib/i18n/|^lib/live/client\\.tsx?$)",
        dependencyTypesNot: ["type-only"],
      },
    },
    { name: "components-not-app", severity: "error", from: { path: "^components/" }, to: { path: "^app/" } },
    {
      name: "lib-not-ui",
      severity: "error",
      from: { path: "^lib/", pathNot: "^lib/live/client" },
      to: { path: "^(app|components)/" },
    },
    {
      name: "domains-not-api",
      severity: "error",
      from: { path: "^lib/", pathNot: "^lib/(api|runtime)/" },
      to: { path: "^lib/api/" },
    },
    {
      name: "engine-knows-no-domain",
      severity: "error",
      from: { path: "^lib/changes/" },
      to: { path: "^lib/", pathNot: "^lib/(changes|errors|db|config|runtime/(singleton|log))" },
    },
    {
      name: "not-to-dev-dep",
      severity: "error",
      from: { path: "^(app|components|lib)/", pathNot: "\\.test\\.tsx?$" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "nothing-imports-tests",
      severity: "error",
      from: { pathNot: "\\.test\\.tsx?$" },
      to: { path: "\\.test\\.tsx?$" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^generated/|\\.next/)" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};

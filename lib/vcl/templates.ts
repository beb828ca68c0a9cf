// Where a VCL may begin: whole ones that speak Sluice's protocol. In TypeScript, so that they are in the build like any code.
import type { VclFile } from "./contract";
import { apiPlatformVcl } from "./templates/api-platform";
import { roadizVcl } from "./templates/roadiz";
import { sluiceVcl } from "./templates/sluice";
import { staticSiteVcl } from "./templates/static-site";

const withProtocol = (main: string): VclFile[] => [
  { name: "main.vcl", text: main },
  { name: "sluice.vcl", text: sluiceVcl },
];

/** The main file first; their backends are placeholders at 127.0.0.1. */
export const templates = [
  { key: "roadiz", files: withProtocol(roadizVcl) },
  { key: "apiPlatform", files: withProtocol(apiPlatformVcl) },
  { key: "static", files: withProtocol(staticSiteVcl) },
] as const satisfies readonly { key: string; files: VclFile[] }[];

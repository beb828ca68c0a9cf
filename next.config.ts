// How Next builds Sluice: one standalone server, our own security headers, messages by next-intl.
import type { NextConfig } from "next";
import createNextIntlPlugin from "next-intl/plugin";

const config: NextConfig = {
  output: "standalone",
  poweredByHeader: false,
  reactStrictMode: true,
  devIndicators: false,
  serverExternalPackages: [
    "dockerode",
    "ssh2",
    "better-sqlite3",
    "pino",
    "@prisma/adapter-better-sqlite3",
    "ioredis",
    "mysql2",
    "nodemailer",
    "prom-client",
  ],
  // The content policy has a nonce for each page: proxy.ts. The API's own is in lib/api/headers.ts.
  headers: async () => [
    {
      source: "/:path*",
      headers: [
        { key: "X-Content-Type-Options", value: "nosniff" },
        { key: "X-Frame-Options", value: "DENY" },
        { key: "Referrer-Policy", value: "same-origin" },
        { key: "Permissions-Policy", value: "camera=(), microphone=(), geolocation=()" },
      ],
    },
  ],
};

export default createNextIntlPlugin({ requestConfig: "./lib/i18n/request.ts" })(config);

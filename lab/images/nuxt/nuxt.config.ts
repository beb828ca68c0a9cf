// Rendered on the server for every request; what caches keep is decided by the headers that the API sends.
export default defineNuxtConfig({
  compatibilityDate: "2026-11-01",
  ssr: true,
  telemetry: false,
  devtools: { enabled: false },
  // Where the API is, as NUXT_API_BASE and NUXT_API_HOST say it; it stays on the server.
  runtimeConfig: { apiBase: "http://nginx:8082", apiHost: "site.localhost" },
});

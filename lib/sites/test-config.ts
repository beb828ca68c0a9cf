// For tests only: a configuration from a few words, with every default in place.
import { type Config, configSchema } from "@/lib/config/schema";

/** Two sites: example.org (with rules) and shop.example.org. */
export function testConfig(site: Record<string, unknown> = {}): Config {
  return configSchema.parse({
    systems: {
      varnish: [{ name: "varnish-1", url: "http://127.0.0.1:9001" }],
      cloudflare: [{ name: "cf", token: "t", zone: "0".repeat(32) }],
    },
    sites: [
      {
        name: "main",
        addresses: ["https://example.org", "https://www.example.org:8443", "https://bücher.example"],
        caches: { varnish: ["varnish-1"], cloudflare: "cf" },
        expand: [
          { url: "/api/web_response_by_path?path={path|encoded}", label: "data" },
          { url: "/api/web_response_by_path?path={path}", label: "data" },
          { url: "/api/common_content?_locale={locale}", label: "list", when: "^/fr" },
        ],
        ...site,
      },
      { name: "shop", addresses: ["https://shop.example.org"] },
    ],
  });
}

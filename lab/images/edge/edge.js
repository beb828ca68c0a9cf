// What Nginx has no variable for: the CDN's words for the cache's state, and the Age of a stored answer.

/** @param {any} r the request (njs) */
function age(r) {
  const status = r.variables.upstream_cache_status;
  if (status !== "HIT" && status !== "STALE" && status !== "UPDATING" && status !== "REVALIDATED") return "";
  // The layers below keep the origin's Date, so this is the age of the content, as RFC 9111 has it.
  const made = Date.parse(r.variables.upstream_http_date || "");
  return Number.isNaN(made) ? "" : String(Math.max(0, Math.floor((Date.now() - made) / 1000)));
}

/** @param {any} r the request (njs) */
function status(r) {
  const known = r.variables.upstream_cache_status;
  if (!known) return "DYNAMIC";
  const control = r.variables.upstream_http_cache_control || "";
  // Nginx says MISS of what it will never store; the real one tells the two apart.
  if (known === "MISS" && /(private|no-store|no-cache|max-age=0(?!\d))/.test(control)) return "BYPASS";
  return known;
}

export default { age, status };

import { askApi } from "../api";

/** Whether pages can be rendered: the API must answer. Never cached. */
export default defineEventHandler(async (event) => {
  const api = await askApi(event, "/health").then(
    ({ status }) => (status === 200 ? "pass" : `answers ${status}`),
    () => "does not answer",
  );
  setResponseHeader(event, "cache-control", "no-store");
  setResponseStatus(event, api === "pass" ? 200 : 503);
  return { status: api === "pass" ? "pass" : "fail", checks: { api } };
});

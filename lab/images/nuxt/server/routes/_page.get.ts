import { askApi } from "../api";

/** What caches are told by the API is told on for the page. */
const passedOn = [
  "cache-control",
  "x-accel-expires",
  "x-revision",
  "xkey",
  "cache-tag",
  "cache-tags",
  "content-language",
];

/** The API's answer for a path of the site, with the headers that the page needs. */
export default defineEventHandler(async (event) => {
  const path = String(getQuery(event).path ?? "");
  const answer = await askApi(event, `/api/web_response_by_path?path=${encodeURIComponent(path)}`).catch(
    () => null,
  );
  if (answer === null) throw createError({ statusCode: 502, statusMessage: "The API does not answer" });
  if (answer.status !== 200)
    throw createError({
      statusCode: answer.status === 404 ? 404 : 502,
      statusMessage: `The API answers ${answer.status}`,
    });
  const headers = Object.fromEntries(
    passedOn.flatMap((name) => (answer.headers[name] ? [[name, answer.headers[name]]] : [])),
  );
  // Browsers ask for this when they follow a link: what caches keep of it must go with the page.
  for (const [name, value] of Object.entries(headers))
    setResponseHeader(event, name as "cache-control", value);
  return { headers, page: JSON.parse(answer.body) };
});

// The REST API as a page to read, made from its OpenAPI document: what to send where, with one example to begin with.
import { getTranslations } from "next-intl/server";
import { CopyButton } from "@/components/ui/copy-button";
import { Scroll } from "@/components/ui/scroll";

type Operation = {
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly type: string;
  }[];
  readonly body: string | null;
  readonly answers: readonly string[];
};
type Route = { readonly method: string; readonly path: string; readonly operation: Operation };

const methods = ["get", "post", "put", "patch", "delete"] as const;

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A JSON schema in one line: "string", "fresh | stale", "{ id, name? }"; at most `depth` levels. */
export function schemaLine(schema: unknown, depth = 2): string {
  const it = record(schema);
  const options = [it.anyOf, it.oneOf].find(Array.isArray);
  if (typeof it.$ref === "string") return it.$ref.split("/").at(-1) ?? "object";
  if (Array.isArray(it.enum)) return it.enum.map((value) => JSON.stringify(value)).join(" | ");
  if ("const" in it) return JSON.stringify(it.const);
  if (options) return options.map((option) => schemaLine(option, depth)).join(" | ");
  if (it.type === "array") return `[${schemaLine(it.items, depth)}]`;
  if (it.type === "object" && depth > 0) {
    const required = Array.isArray(it.required) ? it.required : [];
    const fields = Object.entries(record(it.properties)).map(
      ([name, field]) => `${name}${required.includes(name) ? "" : "?"}: ${schemaLine(field, depth - 1)}`,
    );
    return fields.length === 0 ? "{ … }" : `{ ${fields.join(", ")} }`;
  }
  return Array.isArray(it.type) ? it.type.join(" | ") : (text(it.type) ?? "any");
}

/** Every operation of an OpenAPI document, in its own order. */
export function routesOf(document: unknown): readonly Route[] {
  return Object.entries(record(record(document).paths)).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const found = record(item)[method];
      if (found === undefined) return [];
      const operation = record(found);
      const json = record(record(record(record(operation.requestBody).content)["application/json"]).schema);
      const parameters = (Array.isArray(operation.parameters) ? operation.parameters : []).map(
        (one: unknown) => ({
          name: text(record(one).name) ?? "",
          in: text(record(one).in) ?? "",
          required: record(one).required === true,
          type: schemaLine(record(one).schema, 1),
        }),
      );
      return [
        {
          method,
          path,
          operation: {
            summary: text(operation.summary),
            description: text(operation.description),
            parameters,
            body: Object.keys(json).length === 0 ? null : schemaLine(json, 3),
            answers: Object.keys(record(operation.responses)),
          },
        },
      ];
    }),
  );
}

export async function ApiReference({ document }: { readonly document: unknown }) {
  const t = await getTranslations();
  const server = text(record((record(document).servers as unknown[] | undefined)?.[0]).url) ?? "/api/v1";
  const example = `curl -X POST "$SLUICE/api/v1/purges" \\\n  -H "Authorization: Bearer $SLUICE_KEY" -H "Content-Type: application/json" \\\n  -d '{"target": {"by": "url", "urls": ["https://www.example.org/fr/evenements"]}, "wait_ms": 10000}'`;
  return (
    <>
      <h1>{t("settings.api")}</h1>
      <p className="mt-1 max-w-2xl text-mute">
        {t.rich("apiPage.text", {
          link: (chunks) => (
            <a className="link" href="/api/v1/openapi.json">
              {chunks}
            </a>
          ),
          keys: (chunks) => (
            <a className="link" href="/settings/account#keys">
              {chunks}
            </a>
          ),
        })}
      </p>
      <section className="card my-4">
        <h2>{t("apiPage.example")}</h2>
        <div className="flex flex-wrap items-start gap-2 p-3">
          <Scroll label={t("apiPage.example")} className="min-w-0 flex-1">
            <pre>{example}</pre>
          </Scroll>
          <CopyButton text={example} />
        </div>
      </section>
      <ul className="card">
        {routesOf(document).map(({ method, path, operation }) => (
          <li key={`${method} ${path}`} className="border-b border-line last:border-0">
            <details>
              <summary className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 px-3 py-2 hover:bg-wash">
                <code className="w-14 font-semibold text-deep uppercase">{method}</code>
                <code className="break-all">
                  {/^https?:/.test(server) ? new URL(server).pathname.replace(/\/$/, "") : server}
                  {path}
                </code>
                <span className="w-full text-mute sm:ml-auto sm:w-auto">{operation.summary}</span>
              </summary>
              <div className="grid gap-2 border-t border-line bg-bg px-3 py-3">
                {operation.description !== undefined && <p>{operation.description}</p>}
                {operation.parameters !== undefined && operation.parameters.length > 0 && (
                  <dl className="grid gap-1">
                    {operation.parameters.map((parameter) => (
                      <div key={parameter.name} className="flex flex-wrap gap-x-2">
                        <dt>
                          <code className="font-semibold">{parameter.name}</code>
                          <span className="ml-1.5 text-xs text-mute">
                            {parameter.required ? t("apiPage.required", { in: parameter.in }) : parameter.in}
                          </span>
                        </dt>
                        <dd>
                          <code className="text-mute">{parameter.type}</code>
                        </dd>
                      </div>
                    ))}
                  </dl>
                )}
                {operation.body !== null && (
                  <div>
                    <p className="text-mute">{t("apiPage.body")}</p>
                    <code className="block break-words whitespace-pre-wrap">{operation.body}</code>
                  </div>
                )}
                <p className="text-mute">
                  {t("apiPage.answers")} <code>{operation.answers.join(", ")}</code>
                </p>
              </div>
            </details>
          </li>
        ))}
      </ul>
    </>
  );
}

// The REST API described: OpenAPI 3.1, made from the contract.
import { OpenAPIGenerator } from "@orpc/openapi";
import { ZodToJsonSchemaConverter } from "@orpc/zod/zod4";
import { publicUrl } from "../auth/origin";
import { errorStatus } from "../errors/codes";
import { singleton } from "../runtime/singleton";
import { version } from "../runtime/version";
import { contract } from "./contract";
import { examples } from "./examples";
import { policyOf } from "./policy";

type Generated = Awaited<ReturnType<OpenAPIGenerator["generate"]>>;
type Operation = NonNullable<NonNullable<NonNullable<Generated["paths"]>[string]>["get"]>;

const methods = ["get", "post", "patch", "delete"] as const;
const envelopeSchema = {
  type: "object",
  required: ["code", "message", "status", "requestId"],
  properties: {
    code: {
      type: "string",
      enum: Object.keys(errorStatus),
      description: "What went wrong, from a closed list.",
    },
    message: { type: "string", description: "English, says what to do." },
    status: { type: "integer", description: "The HTTP status." },
    requestId: { type: "string", description: "Names the request in Sluice's log." },
    field: { type: "string", description: "Path of the wrong field." },
    problem: { type: "string", description: "A finer word than `code`, stable." },
    params: { type: "object", additionalProperties: { type: ["string", "number"] } },
    problems: {
      type: "array",
      items: { type: "object" },
      description: "Where one request had several faults.",
    },
    retryAfterMs: { type: "integer", description: "How long to wait." },
  },
} as const;

/** The document that /api/v1/openapi.json answers with. */
export function openApiDocument(): Promise<Generated> {
  // The contract does not change while the process runs; the address may.
  return singleton(`api.openapi ${publicUrl()}`, generate);
}

async function generate(): Promise<Generated> {
  const generator = new OpenAPIGenerator({ schemaConverters: [new ZodToJsonSchemaConverter()] });
  const document = await generator.generate(contract, {
    info: {
      title: "Sluice",
      version: version(),
      description:
        "Purge pages through every cache layer, with proof, and read the history of every change. " +
        "Send an API key (Settings / Account) as `Authorization: Bearer slc_…`.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: `${publicUrl()}/api/v1` }],
    security: [{ apiKey: [] }, { session: [] }],
    components: {
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", bearerFormat: "slc_…", description: "An API key." },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "sluice.session_token",
          description: "A browser's session; other methods than GET need an Origin of Sluice itself.",
        },
      },
      schemas: { Error: envelopeSchema as never },
      responses: {
        Error: {
          description: "What went wrong.",
          content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
        },
      },
    },
    tags: Object.keys(contract).map((name) => ({ name })),
  });
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of methods) {
      const operation = item?.[method];
      if (operation !== undefined) complete(operation, `${method.toUpperCase()} ${path}`);
    }
  }
  document.paths = { ...document.paths, "/changes/export": { get: exportOperation(document) } };
  return document;
}

/** Adds what the contract cannot say: tag, who may call it, errors, an example. */
function complete(operation: Operation, name: string): void {
  const path = operation.operationId?.split(".") ?? [];
  const policy = policyOf(path);
  if (path[0] !== undefined) operation.tags = [path[0]];
  if (policy !== null) {
    const keys =
      policy.keys === "person"
        ? "People only, no API key."
        : `API key scope: ${[...policy.keys, "all"].join(", ")}.`;
    operation.description = `Role: ${policy.role} or higher. ${keys}`;
    if (policy.keys === "person") operation.security = [{ session: [] }];
  }
  operation.responses = { ...operation.responses, default: { $ref: "#/components/responses/Error" } };
  const example = examples[name];
  const body = operation.requestBody;
  if (example !== undefined && body !== undefined && "content" in body) {
    const media = body.content["application/json"];
    if (media !== undefined) media.examples = example;
  }
}

function exportOperation(document: Generated): Operation {
  const filters = (document.paths?.["/changes"]?.get?.parameters ?? []).filter(
    (parameter) => "name" in parameter && !["cursor", "limit"].includes(parameter.name),
  );
  return {
    operationId: "changes.export",
    tags: ["changes"],
    summary: "History as one file, newest first",
    description: "Role: viewer or higher. API key scope: read, all.",
    parameters: [
      { name: "format", in: "query", required: true, schema: { type: "string", enum: ["csv", "json"] } },
      ...filters,
    ],
    responses: {
      "200": {
        description: "CSV with a header line, or a JSON array.",
        content: {
          "text/csv": { schema: { type: "string" } },
          "application/json": { schema: { type: "array", items: { type: "object" } } },
        },
      },
      default: { $ref: "#/components/responses/Error" },
    },
  };
}

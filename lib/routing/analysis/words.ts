// Words for completion in Traefik's files: the fields of each struct, and names that exist.
import type { Config } from "../../config/schema";
import type { ConfigFile, ConfigWords } from "../files/contract";
import { configuration, type Struct, type Type } from "../validate/schema";
import { around } from "./check";
import { fieldsOf, modelOf, textOf, textsOf } from "./model";

const taken: Readonly<Record<Type["is"], string>> = {
  text: "text",
  int: "number",
  bool: "yes/no",
  duration: "duration",
  list: "list",
  map: "map",
  struct: "map",
  raw: "map",
  internal: "",
};

/** The fields of a struct and of those below it, by their paths. */
function fieldsIn(struct: Struct, path: string, into: Record<string, ConfigWords["fields"][string]> = {}) {
  const known = Object.entries(struct.fields).filter(([, { is }]) => is !== "internal");
  into[path] = known.map(([name, { is }]) => ({ name, takes: taken[is] }));
  for (const [name, type] of known) below(type, path === "" ? name : `${path}.${name}`, into);
  return into;
}
function below(type: Type, path: string, into: Record<string, ConfigWords["fields"][string]>): void {
  if (type.is === "struct") fieldsIn(type, path, into);
  else if (type.is === "map") below(type.of, `${path}.*`, into);
  else if (type.is === "list") below(type.of, `${path}[]`, into);
}

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].filter((one) => one !== "").sort();

/** Names of the files, and those of other providers with these. What only Traefik knows is left out where it does not answer. */
export async function wordsFor(
  server: Config["systems"]["traefik"][number],
  files: readonly ConfigFile[],
): Promise<ConfigWords> {
  const { surroundings } = await around(server);
  const { provider, overview } = surroundings;
  const elements = [...modelOf(files).elements.values()];
  const routers = elements.filter(({ section }) => section === "routers");
  const names = (section: "routers" | "services" | "middlewares"): string[] =>
    sorted([
      ...elements.filter((one) => one.section === section).map(({ name }) => name),
      ...(overview?.[section] ?? [])
        .filter((one) => one.provider !== provider)
        .map((one) => ("source" in one ? one.source : one.name)),
    ]);
  return {
    fields: fieldsIn(configuration, ""),
    entryPoints: sorted(
      overview?.entryPoints.map(({ name }) => name) ??
        routers.flatMap(({ fields }) => textsOf(fields, "entryPoints")),
    ),
    certResolvers: sorted(routers.map(({ fields }) => textOf(fieldsOf(fields, "tls"), "certResolver"))),
    routers: names("routers"),
    services: names("services"),
    middlewares: names("middlewares"),
  };
}

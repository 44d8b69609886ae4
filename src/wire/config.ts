import Type, { type Static } from "typebox";
import { parseDuration } from "../domain/duration.ts";
import { ok, type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { AUTHORITIES_CONFIG, type AuthoritiesConfig, authoritiesConfig } from "./authorities-config.ts";
import { CLUSTER_CONFIG, type ClusterConfig, clusterConfig } from "./cluster-config.ts";
import { millis } from "./config-duration.ts";
import { DATABASE_CONFIG, type DatabaseConfig, databaseConfig } from "./database-config.ts";
import { readDocuments } from "./documents.ts";
import { GRPC_CONFIG, type GrpcConfig, LISTEN, readListening } from "./listening-config.ts";
import { duration, fields, oneOf, optional, setOf, text } from "./kinds/fields.ts";
import { readBySchema } from "./read-by-schema.ts";
import { parsePkcs11Uri } from "./pkcs11-uri.ts";
import { problemAt } from "./read-object.ts";

/** Configuration of `signet server`: schema, reader and docs in one. */
export const SERVER_CONFIG = fields("Configuration of `signet server`.", {
  listen: optional(
    text("HOST:PORT to listen on; port 0 takes a free one.", 261, { pattern: LISTEN, default: "127.0.0.1:8443" }),
  ),
  state: optional(text("Folder for keys and ledger.", 1024, { default: ".signet" })),
  catalogue: optional(text("Folder of the catalogue; left out: `catalogue` in the state folder.", 1024)),
  names: optional(
    setOf("Further host names and addresses for the serving certificate.", text("A name or address.", 253), 32, {
      default: [],
    }),
  ),
  mode: optional(
    oneOf(
      "standalone: a folder is the catalogue. cluster: the Kubernetes API is, and replicas share an authority.",
      ["standalone", "cluster"],
      { default: "standalone" },
    ),
  ),
  cluster: optional(CLUSTER_CONFIG),
  clients: optional(
    fields("Who may call the webhooks; left out: everybody who can reach them.", {
      ca: text("Path of the authority, PEM, whose client certificates count.", 4096),
      names: setOf("Common names that count.", text("A common name.", 253), 32, { minItems: 1 }),
    }),
  ),
  issuer: optional(
    text(
      "https URL under which verifiers reach this server: tokens name it as their issuer. Left out: they name none.",
      1024,
      {
        pattern: "^https://[^/?#@]+(/[^?#]*[^/?#])?$",
      },
    ),
  ),
  authorities: optional(AUTHORITIES_CONFIG),
  grpc: optional(GRPC_CONFIG),
  database: optional(DATABASE_CONFIG),
  requireApproval: optional(Type.Boolean({ description: "Refuse what is not known to be approved.", default: false })),
  log: optional(
    fields("What is logged, and how.", {
      level: optional(oneOf("Least level that is written.", ["debug", "info", "warn", "error"], { default: "info" })),
      format: optional(
        oneOf("json, text, or text on a terminal and json elsewhere.", ["auto", "json", "text"], { default: "auto" }),
      ),
    }),
  ),
  drain: optional(
    fields("How the server ends.", {
      delay: optional(
        duration("How long it goes on serving after it says that it is not ready. Left out: not at all."),
      ),
      grace: optional(duration("How long requests in flight may take. Default 30s.")),
    }),
  ),
});

type Written = Static<typeof SERVER_CONFIG>;

/** The configuration, whole and frozen. */
export type ServerConfig = {
  readonly host: string;
  readonly port: number;
  readonly state: string;
  readonly catalogue: string;
  readonly names: readonly string[];
  readonly requireApproval: boolean;
  /** URL of the issuer that tokens name; absent: none. */
  readonly issuer?: string;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error"; readonly format: "auto" | "json" | "text" };
  readonly drainDelayMs: number;
  readonly drainGraceMs: number;
  /** Path of the authority, and the common names that count; absent: everybody may call the webhooks. */
  readonly clients?: { readonly ca: string; readonly names: readonly string[] };
  readonly authorities: AuthoritiesConfig;
  /** Absent: nothing is issued over gRPC. */
  readonly grpc?: GrpcConfig;
  /** Absent: the ledger is a local file alone. */
  readonly database?: DatabaseConfig;
  /** Absent in standalone mode. */
  readonly cluster?: ClusterConfig;
};

/** What flags may say over the file. */
export type ConfigFlags = {
  readonly listen?: string;
  readonly state?: string;
  readonly catalogue?: string;
  readonly mode?: string;
  readonly kubeconfig?: string;
  readonly virtController?: readonly string[];
  readonly certificateFolder?: string;
};

/** Reads the file's text, if there is a file, and the flags over it. Every unknown or wrong key is named with its line. */
export function readServerConfig(
  file: { readonly name: string; readonly text: string } | undefined,
  flags: ConfigFlags,
): Result<ServerConfig> {
  const written = file ? readFile(file) : ok<Written>({});
  if (!written.ok) return written;
  const listening = readListening(flags.listen ?? written.value.listen ?? "127.0.0.1:8443", written.value.grpc);
  if (!listening.ok) return listening;
  const mode = readMode(flags.mode ?? written.value.mode);
  if (!mode.ok) return mode;
  return ok(
    Object.freeze({
      ...listening.value,
      ...folders(written.value, flags),
      ...behaviour(written.value),
      authorities: authoritiesConfig(written.value.authorities),
      ...databaseConfig(written.value.database),
      ...(mode.value === "cluster" ? { cluster: clusterConfig(written.value.cluster ?? {}, flags) } : {}),
    }),
  );
}

function folders(written: Written, flags: ConfigFlags): Pick<ServerConfig, "state" | "catalogue"> {
  const state = flags.state ?? written.state ?? ".signet";
  return { state, catalogue: flags.catalogue ?? written.catalogue ?? `${state}/catalogue` };
}

/** What is left out stays out. */
const given = ({ clients, issuer }: Pick<Written, "clients" | "issuer">) => ({
  ...(clients ? { clients } : {}),
  ...(issuer === undefined ? {} : { issuer }),
});

const behaviour = ({ names = [], requireApproval = false, log, drain, ...written }: Written) => ({
  names,
  requireApproval,
  ...given(written),
  log: Object.freeze({ level: log?.level ?? "info", format: log?.format ?? "auto" }),
  drainDelayMs: millis(drain?.delay, 0),
  drainGraceMs: millis(drain?.grace, 30_000),
});

const readMode = (mode = "standalone"): Result<"standalone" | "cluster"> =>
  mode === "standalone" || mode === "cluster"
    ? ok(mode)
    : refuse("FIELD_INVALID", "mode", `"${mode}" is not a mode.`, "Write standalone or cluster.");

function readFile(file: { readonly name: string; readonly text: string }): Result<Written> {
  const documents = readDocuments(file.text, file.name);
  if (!documents.ok) return documents;
  const [document, second] = documents.value;
  if (!document) return ok({});
  if (second) return refuse("FIELD_CONFLICT", "", "The configuration holds two documents.", "Keep one.");
  const place = { document, base: [] };
  const read = readBySchema(SERVER_CONFIG, document.value, place, []);
  if (!read.ok) return read;
  const uri = keyProblem(read.value);
  if (uri) return refuseAll([problemAt(place, ["authorities", "key"], uri)]);
  for (const [part, key, given] of durationsOf(read.value)) {
    const seconds = given === undefined ? ok(1) : parseDuration(given, `${part}.${key}`);
    if (!seconds.ok) return refuseAll(seconds.problems.map((found) => problemAt(place, [part, key], found)));
  }
  return read;
}

function keyProblem({ authorities }: Written): Problem | undefined {
  const read = authorities?.key === undefined ? undefined : parsePkcs11Uri(authorities.key, "authorities.key");
  return read?.ok === false ? read.problems[0] : undefined;
}

const durationsOf = ({ drain, cluster, authorities }: Written) =>
  [
    ["authorities", "settle", authorities?.settle],
    ["drain", "delay", drain?.delay],
    ["drain", "grace", drain?.grace],
    ["cluster", "leafLifetime", cluster?.leafLifetime],
    ["cluster", "authorityLifetime", cluster?.authorityLifetime],
    ["cluster", "settle", cluster?.settle],
  ] as const;

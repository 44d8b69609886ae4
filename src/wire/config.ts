import Type, { type Static } from "typebox";
import { parseDuration } from "../domain/duration.ts";
import { ok, type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { AUTHORITIES_CONFIG, type AuthoritiesConfig, authoritiesConfig } from "./authorities-config.ts";
import { CLIENTS_CONFIG, type ClientsConfig, clientsConfig } from "./clients-config.ts";
import { CLUSTER_CONFIG, type ClusterConfig, clusterConfig } from "./cluster-config.ts";
import { millis } from "./config-duration.ts";
import { DATABASE_CONFIG, type DatabaseConfig, databaseConfig } from "./database-config.ts";
import { GRANT_CONFIG, type GrantConfig, grantConfig, type GrantFlags } from "./grant-config.ts";
import { readDocuments } from "./documents.ts";
import {
  BUNDLE_ENDPOINT_CONFIG,
  GRPC_CONFIG,
  LISTEN,
  type Listening,
  type ListeningFlags,
  readListening,
} from "./listening-config.ts";
import { duration, fields, oneOf, optional, setOf, text } from "./kinds/fields.ts";
import { readPodNetworks } from "./pod-networks.ts";
import { readBySchema } from "./read-by-schema.ts";
import { parsePkcs11Uri } from "./pkcs11-uri.ts";
import { type Place, problemAt } from "./read-object.ts";

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
  clients: optional(CLIENTS_CONFIG),
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
  bundleEndpoint: optional(BUNDLE_ENDPOINT_CONFIG),
  database: optional(DATABASE_CONFIG),
  grants: optional(GRANT_CONFIG),
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
export type ServerConfig = Listening & {
  readonly state: string;
  readonly catalogue: string;
  readonly names: readonly string[];
  readonly requireApproval: boolean;
  /** URL of the issuer that tokens name; absent: none. */
  readonly issuer?: string;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error"; readonly format: "auto" | "json" | "text" };
  readonly drainDelayMs: number;
  readonly drainGraceMs: number;
  /** Absent: everybody may call the webhooks. */
  readonly clients?: ClientsConfig;
  readonly authorities: AuthoritiesConfig;
  /** Absent: the ledger is a local file alone. */
  readonly database?: DatabaseConfig;
  /** Absent: no signed grants are read. */
  readonly grants?: GrantConfig;
  /** Absent in standalone mode. */
  readonly cluster?: ClusterConfig;
};

/** What flags may say over the file. */
export type ConfigFlags = GrantFlags &
  ListeningFlags & {
    readonly state?: string;
    readonly catalogue?: string;
    readonly mode?: string;
    readonly kubeconfig?: string;
    readonly virtController?: readonly string[];
    readonly certificateFolder?: string;
    readonly clientCa?: string;
  };

/** Reads the file's text, if there is a file, and the flags over it. Every unknown or wrong key is named with its line. */
export function readServerConfig(
  file: { readonly name: string; readonly text: string } | undefined,
  flags: ConfigFlags,
): Result<ServerConfig> {
  const written = file ? readFile(file) : ok<Written>({});
  if (!written.ok) return written;
  const checked = readChecked(written.value, flags);
  if (!checked.ok) return checked;
  const { mode, ...rest } = checked.value;
  return ok(
    Object.freeze({
      ...rest,
      ...folders(written.value, flags),
      ...behaviour(written.value),
      ...clientsConfig(written.value.clients, flags.clientCa),
      authorities: authoritiesConfig(written.value.authorities),
      ...databaseConfig(written.value.database),
      ...(mode === "cluster" ? { cluster: clusterConfig(written.value.cluster ?? {}, flags) } : {}),
    }),
  );
}

/** What may be wrong though it has the right form. */
function readChecked({ mode, grants, ...written }: Written, flags: ConfigFlags) {
  const address = readListening(written, flags);
  if (!address.ok) return address;
  const read = readMode(flags.mode ?? mode);
  if (!read.ok) return read;
  const granted = grantConfig(grants, flags);
  return granted.ok ? ok({ ...address.value, ...granted.value, mode: read.value }) : granted;
}

function folders(written: Written, flags: ConfigFlags): Pick<ServerConfig, "state" | "catalogue"> {
  const state = flags.state ?? written.state ?? ".signet";
  return { state, catalogue: flags.catalogue ?? written.catalogue ?? `${state}/catalogue` };
}

/** What is left out stays out. */
const given = ({ issuer }: Pick<Written, "issuer">) => (issuer === undefined ? {} : { issuer });

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
  const found = fieldProblems(read.value, place);
  return found.length === 0 ? read : refuseAll(found);
}

/** What is wrong with fields that have the right form. */
function fieldProblems(written: Written, place: Place): readonly Problem[] {
  const networks = readPodNetworks(written.cluster?.podNetworks, place);
  if (!networks.ok) return networks.problems;
  const uri = keyProblem(written);
  if (uri) return [problemAt(place, ["authorities", "key"], uri)];
  for (const [part, key, given] of durationsOf(written)) {
    const seconds = given === undefined ? ok(1) : parseDuration(given, `${part}.${key}`);
    if (!seconds.ok) return seconds.problems.map((found) => problemAt(place, [part, key], found));
  }
  return [];
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

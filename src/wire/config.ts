import Type, { type Static } from "typebox";
import { parseDuration } from "../domain/duration.ts";
import { ok, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { VIRT_CONTROLLERS } from "./manifests/names.ts";
import { CLIENTS_CONFIG, type ClientsConfig, clientsConfig } from "./clients-config.ts";
import { DATABASE_CONFIG, type DatabaseConfig, databaseConfig } from "./database-config.ts";
import { readDocuments } from "./documents.ts";
import { GRPC_CONFIG, type GrpcConfig, LISTEN, readListening } from "./listening-config.ts";
import { duration, fields, oneOf, optional, setOf, text } from "./kinds/fields.ts";
import { readBySchema } from "./read-by-schema.ts";
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
  cluster: optional(
    fields("How the server works in a cluster; counts with `mode: cluster` only.", {
      kubeconfig: optional(
        text("Path of a kubeconfig; left out: KUBECONFIG, or the account of the Pod that it runs in.", 4096),
      ),
      leafLifetime: optional(duration("How long a serving certificate lives, at most 24h. Default 24h.")),
      authorityLifetime: optional(
        duration(
          "How long the authority of serving certificates lives; the next takes over at half of it. Default 8760h.",
        ),
      ),
      virtControllers: optional(
        setOf(
          "User names of KubeVirt's virt-controller: who may create launchers. Left out: as KubeVirt installs it.",
          text("A user name.", 512),
          8,
          { minItems: 1 },
        ),
      ),
      certificateFolder: optional(
        text(
          "Folder with tls.crt, tls.key and ca.crt that somebody else keeps and renews, as cert-manager does; caBundle is then theirs too. Left out: Signet keeps an authority of its own.",
          4096,
        ),
      ),
      settle: optional(
        duration("How long every API server may take to see a changed webhook configuration. Default 30s."),
      ),
    }),
  ),
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
  /** Absent: everybody may call the webhooks. */
  readonly clients?: ClientsConfig;
  /** Absent: nothing is issued over gRPC. */
  readonly grpc?: GrpcConfig;
  /** Absent: the ledger is a local file alone. */
  readonly database?: DatabaseConfig;
  /** Absent in standalone mode. */
  readonly cluster?: ClusterConfig;
};

/** What counts in cluster mode. Times in milliseconds. */
export type ClusterConfig = {
  readonly kubeconfig?: string;
  readonly leafMs: number;
  readonly authorityMs: number;
  readonly settleMs: number;
  /** Whose Pods may be launchers. */
  readonly virtControllers: readonly string[];
  /** Where somebody else keeps the serving certificate; absent: Signet does. */
  readonly certificateFolder?: string;
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
  readonly clientCa?: string;
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
      ...clientsConfig(written.value.clients, flags.clientCa),
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

const HOUR_MS = 3_600_000;

/** A leaf lives a day at most: its end is what an old authority is kept for. */
function clusterConfig(written: NonNullable<Written["cluster"]>, flags: ConfigFlags): ClusterConfig {
  const kubeconfig = flags.kubeconfig ?? written.kubeconfig;
  const certificateFolder = flags.certificateFolder ?? written.certificateFolder;
  return Object.freeze({
    leafMs: Math.min(millis(written.leafLifetime, 24 * HOUR_MS), 24 * HOUR_MS),
    authorityMs: millis(written.authorityLifetime, 8760 * HOUR_MS),
    settleMs: millis(written.settle, 30_000),
    virtControllers: flags.virtController ?? written.virtControllers ?? [VIRT_CONTROLLERS.kubevirt],
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(certificateFolder === undefined ? {} : { certificateFolder }),
  });
}

function readFile(file: { readonly name: string; readonly text: string }): Result<Written> {
  const documents = readDocuments(file.text, file.name);
  if (!documents.ok) return documents;
  const [document, second] = documents.value;
  if (!document) return ok({});
  if (second) return refuse("FIELD_CONFLICT", "", "The configuration holds two documents.", "Keep one.");
  const place = { document, base: [] };
  const read = readBySchema(SERVER_CONFIG, document.value, place, []);
  if (!read.ok) return read;
  for (const [part, key, given] of durationsOf(read.value)) {
    const seconds = given === undefined ? ok(1) : parseDuration(given, `${part}.${key}`);
    if (!seconds.ok) return refuseAll(seconds.problems.map((found) => problemAt(place, [part, key], found)));
  }
  return read;
}

const durationsOf = ({ drain, cluster }: Written) =>
  [
    ["drain", "delay", drain?.delay],
    ["drain", "grace", drain?.grace],
    ["cluster", "leafLifetime", cluster?.leafLifetime],
    ["cluster", "authorityLifetime", cluster?.authorityLifetime],
    ["cluster", "settle", cluster?.settle],
  ] as const;

const millis = (given: string | undefined, otherwise: number): number => {
  const seconds = given === undefined ? undefined : parseDuration(given, "");
  return seconds?.ok ? seconds.value * 1000 : otherwise;
};

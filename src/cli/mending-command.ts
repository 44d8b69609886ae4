import type { Problem } from "../domain/problem.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";
import { EXCEPTION_ANNOTATION, USE_ROLE_ANNOTATION } from "../domain/reserved-keys.ts";
import type { Definition } from "../domain/definitions.ts";
import type { Workload } from "../domain/workload.ts";

/** What a mending command may speak of. */
export type MendingContext = {
  readonly workload: Workload;
  readonly problem: Problem;
  /** The catalogue's folder as the user wrote it. */
  readonly catalogue: string;
  /** Names of roles that fit. */
  readonly fits: readonly string[];
  /** Service accounts that roles of the namespace name. */
  readonly accounts: readonly string[];
  /** Role and segment, where there is one. */
  readonly definitions: readonly (Definition & { readonly kind: string })[];
};

type Command = (context: MendingContext) => string | undefined;

const listRoles: Command = ({ catalogue }) => `signet roles --catalogue ${catalogue} --output wide`;
const lint: Command = ({ catalogue }) => `signet lint ${catalogue}`;
const listExceptions: Command = ({ catalogue }) => `signet exceptions --catalogue ${catalogue}`;

/** The command that mends a problem, or that shows what has to be decided; for all other codes `signet help CODE`. */
const COMMANDS: Readonly<Partial<Record<ProblemCode, Command>>> = {
  ROLE_NONE: (context) => setAccount(context) ?? listRoles(context),
  ROLE_AMBIGUOUS: (context) => patchOf(context.workload, `annotations.${USE_ROLE_ANNOTATION}`, context.fits[0]),
  ROLE_NOT_ENTITLED: removeKey,
  STAMP_OVERWRITTEN: removeKey,
  FORGED: removeKey,
  IDENTITY_SPANS_SEGMENTS: lint,
  SEGMENT_STRICT: lint,
  APPROVAL_MISSING: approve,
  HOST_NETWORK: removeField,
  HOST_PID: removeField,
  HOST_IPC: removeField,
  PRIVILEGED: removeField,
  HOST_PROCESS: removeField,
  EXCEPTION_MISSING: listExceptions,
  EXCEPTION_EXPIRED: listExceptions,
  EXCEPTION_NOT_YET: listExceptions,
  EXCEPTION_MISMATCH: listExceptions,
  EXCEPTION_UNAPPROVED: ({ workload }) =>
    approvalPatch("segmentexception", workload.annotations[EXCEPTION_ANNOTATION] ?? "NAME", workload.namespace),
};

/** One line for a shell. */
export const mendingCommand = (context: MendingContext): string =>
  COMMANDS[context.problem.code]?.(context) ?? `signet help ${context.problem.code}`;

const target = ({ object }: Workload): string => `${object.kind.toLowerCase()}/${object.name} -n ${object.namespace}`;

/** Kinds that `kubectl set serviceaccount` knows. */
const SETTABLE: ReadonlySet<string> = new Set([
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "ReplicationController",
  "Job",
]);

function setAccount({ workload, accounts }: MendingContext): string | undefined {
  const [account] = accounts;
  if (account === undefined || accounts.includes(workload.serviceAccount) || !SETTABLE.has(workload.object.kind))
    return undefined;
  const { kind, name, namespace } = workload.object;
  return `kubectl set serviceaccount ${kind.toLowerCase()} ${name} ${account} -n ${namespace}`;
}

/** A merge patch of the metadata that the workload's Pods get; null removes. */
function patchOf(
  workload: Workload,
  key: string,
  value: string | undefined | null,
  metadataPath = workload.metadataPath,
) {
  if (value === undefined) return undefined;
  const [map = "", ...name] = key.split(".");
  const path = [...metadataPath.split("."), map, name.join(".")];
  const patch = path.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value);
  return `kubectl patch ${target(workload)} --type=merge -p '${JSON.stringify(patch)}'`;
}

/** `spec.template.metadata.labels.signet.dev/role` → a patch that takes that key away. */
function removeKey({ workload, problem }: MendingContext): string | undefined {
  const found = /^(.*?metadata)\.((labels|annotations)\..+)$/.exec(problem.path);
  return found ? patchOf(workload, found[2] ?? "", null, found[1]) : undefined;
}

/** A Pod's spec can't be changed; the manifest has to. */
function removeField({ workload, problem }: MendingContext): string | undefined {
  if (workload.form === "pod") return undefined;
  const pointer = `/${problem.path.replaceAll("[", "/").replaceAll("]", "").replaceAll(".", "/")}`;
  return `kubectl patch ${target(workload)} --type=json -p '[{"op":"remove","path":"${pointer}"}]'`;
}

function approve({ definitions }: MendingContext): string | undefined {
  const waiting = definitions.find(({ approval }) => approval.state !== "approved");
  return waiting && approvalPatch(waiting.kind.toLowerCase(), waiting.name);
}

const approvalPatch = (kind: string, name: string, namespace?: string): string => {
  const where = namespace === undefined ? "" : ` -n ${namespace}`;
  const entry = '{"op":"add","path":"/status/approvals/-","value":{"generation":GENERATION,"by":"YOU"}}';
  return `kubectl patch ${kind}/${name}${where} --subresource=status --type=json -p '[${entry}]'`;
};

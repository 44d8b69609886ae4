import type { Catalogue, NamespaceView } from "../domain/catalogue.ts";
import type { Role, Segment } from "../domain/definitions.ts";
import type { Instant } from "../domain/instant.ts";
import { problem, type Problem } from "../domain/problem.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";
import { remembered } from "../domain/remembered.ts";
import type { Escape, EscapeCheck, Launching, Workload } from "../domain/workload.ts";
import type { Identity } from "../identity/fit-role.ts";
import { except } from "./exceptions.ts";
import { permits } from "./permits.ts";

/** Each check on escapes: its code, and what it says of the workload. */
const ESCAPES: Readonly<Record<EscapeCheck, { readonly code: ProblemCode; readonly says: string }>> = {
  hostNetwork: { code: "HOST_NETWORK", says: "uses the node's network" },
  hostPID: { code: "HOST_PID", says: "sees the node's processes" },
  hostIPC: { code: "HOST_IPC", says: "shares the node's IPC" },
  hostPath: { code: "HOST_PATH", says: "mounts a path of the node" },
  hostProcess: { code: "HOST_PROCESS", says: "runs as a host process" },
  privileged: { code: "PRIVILEGED", says: "runs privileged" },
  capability: { code: "CAPABILITY_ADDED", says: "adds a capability" },
  signerVolume: { code: "SIGNER_VOLUME", says: "mounts a certificate of Signet's signer by itself" },
  uncoveredInterfaces: { code: "UNCOVERED_INTERFACE", says: "has an interface that no active target covers" },
};

/** At which moment, and whether approval that is not known refuses. */
export type When = { readonly now: Instant; readonly requireApproval?: boolean };

/** What a check found, and the segment that refuses for it besides the workload's own. */
export type Failed = { readonly problem: Problem; readonly segment: Segment };

/** Judges a workload whose role is known: the namespace it shares, and each escape its role or exception does not permit. */
export function check(catalogue: Catalogue, workload: Workload, identity: Identity, terms: When): readonly Failed[] {
  const strict = sharedStrictly(catalogue, workload);
  const escapes = unpermitted(catalogue, workload, identity.role, terms);
  return [...(strict ? [strict] : []), ...escapes.map((found) => ({ problem: found, segment: identity.segment }))];
}

/** Judges what is added to a launcher that runs. Without a role that is known, no escape is permitted. */
export const checkAdded = (
  catalogue: Catalogue,
  launcher: Workload,
  role: Identity["role"] | undefined,
  terms: When & { readonly launching?: Launching },
): readonly Problem[] => unpermitted(catalogue, { ...launcher, escapes: terms.launching?.added ?? [] }, role, terms);

/** A strict segment that owns a namespace with roles of another, and the first of these; nothing where there is none. */
const strictSharing = remembered(({ segments, roles }: NamespaceView): { strict?: Segment; other?: Role } => {
  const strict = segments.find(
    (owner) => owner.isolation === "strict" && roles.some((role) => role.segment !== owner.name),
  );
  const other = roles.find((role) => role.segment !== strict?.name);
  return strict && other ? { strict, other } : {};
});

/** A strict segment refuses to share a namespace of its own with roles of another (product rules, "namespace is the unit of trust"). */
function sharedStrictly(catalogue: Catalogue, { namespace, kind }: Workload): Failed | undefined {
  const view = catalogue.namespaces.get(namespace);
  const { strict, other } = view ? strictSharing(view) : {};
  if (!strict || !other) return undefined;
  const found = problem(
    "SEGMENT_STRICT",
    "metadata.namespace",
    `Strict segment ${strict.name} shares namespace ${namespace} with role ${other.name} of ${other.segment}.`,
    `Move roles of ${other.segment} to a namespace of their own; until then no ${kind} of either starts here.`,
  );
  return { problem: found, segment: strict };
}

function unpermitted(
  catalogue: Catalogue,
  workload: Workload,
  role: Identity["role"] | undefined,
  terms: When,
): readonly Problem[] {
  const refused = workload.escapes.filter((escape) => !permits(role?.permits ?? [], escape));
  if (refused.length === 0) return [];
  const { left, why } = role
    ? except(refused, { ...terms, catalogue, workload, role: role.name })
    : { left: refused, why: [] };
  return [...left.map((escape) => escapeProblem(escape, role?.name)), ...why];
}

const escapeProblem = (escape: Escape, role: string | undefined): Problem =>
  problem(
    ESCAPES[escape.check].code,
    escape.path,
    `It ${ESCAPES[escape.check].says}, which ${role === undefined ? "no known role permits" : `role ${role} does not permit`}${detail(escape)}.`,
    `Take it away, or have "${escape.permit}" permitted by the role or by an exception.`,
  );

const detail = (escape: Escape): string => {
  const colon = escape.permit.indexOf(":");
  return colon === -1 ? "" : ` (${escape.permit.slice(colon + 1, colon + 60)})`;
};

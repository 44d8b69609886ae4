import type { Catalogue } from "../domain/catalogue.ts";
import type { Exception, Grant } from "../domain/definitions.ts";
import { capBegins, exceptionCapSeconds } from "../domain/exception-cap.ts";
import { isOfNamespace } from "../domain/grants.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { type Problem, problem } from "../domain/problem.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";
import { EXCEPTION_ANNOTATION } from "../domain/reserved-keys.ts";
import type { Escape, Workload } from "../domain/workload.ts";
import { permits } from "./permits.ts";

/** For whom, and when, an exception would have to count. */
type Use = {
  readonly catalogue: Catalogue;
  readonly workload: Workload;
  readonly role: string;
  readonly now: Instant;
  readonly requireApproval?: boolean;
};

/**
 * What is left of escapes after the exceptions that a workload points to by one name, and why: what that exception lacks, of
 * several the one that comes nearest. Each counts by itself, so that none takes away what another permits.
 */
export function except(
  escapes: readonly Escape[],
  use: Use,
): { readonly left: readonly Escape[]; readonly why: readonly Problem[] } {
  const { annotations, namespace } = use.workload;
  if (!Object.hasOwn(annotations, EXCEPTION_ANNOTATION)) return { left: escapes, why: [] };
  const name = annotations[EXCEPTION_ANNOTATION] ?? "";
  const named = use.catalogue.exceptions.get(`${namespace}/${name}`) ?? [];
  if (named.length === 0) return { left: escapes, why: [nameless(name, use.workload)] };
  const [usable, lacking] = partition(named, (each) => lackOf(each, use) === undefined);
  const left = escapes.filter((escape) => !usable.some((each) => excepts(each, escape)));
  if (left.length === 0) return { left, why: [] };
  const covers = (each: Exception): boolean => left.some((escape) => excepts(each, escape));
  const near = lacking.filter(usable.length === 0 ? () => true : covers);
  const nearness = (each: Exception): number => 2 * Number(covers(each)) + Number(isFor(each, use));
  const [nearest] = near.sort((a, b) => nearness(b) - nearness(a));
  return { left, why: [nearest ? problemOf(nearest, use) : uncovering(name, use.workload)] };
}

function partition<T>(items: readonly T[], holds: (item: T) => boolean): readonly [T[], T[]] {
  const { yes = [], no = [] } = Object.groupBy(items, (item) => (holds(item) ? "yes" : "no"));
  return [yes, no];
}

const lackOf = (exception: Exception, use: Use) => UNUSABLE.find((row) => row.holds(exception, use));

function problemOf(exception: Exception, use: Use): Problem {
  const lack = lackOf(exception, use);
  if (!lack) return uncovering(exception.name, use.workload);
  const path = `${use.workload.metadataPath}.annotations.${EXCEPTION_ANNOTATION}`;
  return problem(lack.code, path, `Exception "${exception.name}" ${lack.says(exception, use)}.`, lack.mend);
}

const uncovering = (name: string, { metadataPath }: Workload): Problem =>
  problem(
    "EXCEPTION_MISMATCH",
    `${metadataPath}.annotations.${EXCEPTION_ANNOTATION}`,
    `Exception "${name}" does not cover all that is refused.`,
    "Request one that does, or take the rest away.",
  );

const nameless = (name: string, { namespace, metadataPath }: Workload): Problem =>
  problem(
    "EXCEPTION_MISSING",
    `${metadataPath}.annotations.${EXCEPTION_ANNOTATION}`,
    `There is no exception "${name}" in namespace ${namespace}.`,
    "Create the SegmentException and have it approved, or take the annotation away.",
  );

/** What keeps an exception from counting, in the order in which it is said. */
const UNUSABLE: readonly {
  readonly code: ProblemCode;
  readonly holds: (exception: Exception, use: Use) => boolean;
  readonly says: (exception: Exception, use: Use) => string;
  readonly mend: string;
}[] = [
  {
    code: "EXCEPTION_UNSIGNED",
    holds: ({ approval }) => approval.state === "unsigned",
    says: () => "is not granted by a signature, and nothing else counts here",
    mend: "Have it signed (`signet exceptions grant`), and put the grant where the others are.",
  },
  {
    code: "EXCEPTION_UNAPPROVED",
    holds: ({ approval }, { requireApproval }) =>
      approval.state === "missing" || (requireApproval === true && approval.state === "unchecked"),
    says: ({ approval }) => (approval.state === "missing" ? "is not approved" : "is not known to be approved"),
    mend: "Ask somebody with the verb approve; in a pipeline, for a signed grant.",
  },
  {
    code: "GRANT_NAMESPACE",
    holds: (exception, { catalogue }) => !isOfNamespace(catalogue.definitions, exception),
    says: ({ grant, namespace }, { catalogue, workload }) =>
      `is signed for namespace ${namespace} with UID ${grant?.namespaceUid ?? ""}, and here it is ${uidOf(catalogue, workload) ?? "not known"}`,
    mend: "Judge by a catalogue that holds the Namespace with its UID, or have a grant signed for this one.",
  },
  {
    code: "EXCEPTION_NOT_YET",
    holds: ({ notBefore }, { now }) => notBefore !== undefined && now < notBefore,
    says: ({ notBefore }) => `begins at ${formatInstant(notBefore ?? 0)}`,
    mend: "Wait until then, or have one approved that begins earlier.",
  },
  {
    code: "EXCEPTION_EXPIRED",
    holds: ({ expires }, { now }) => now >= expires,
    says: ({ expires }) => `ended at ${formatInstant(expires)}`,
    mend: "Mend what it was for, or have a new one approved.",
  },
  {
    code: "EXCEPTION_TOO_LONG",
    holds: (exception, { catalogue, now }) => now < (capBegins(exception, catalogue) ?? now),
    says: (exception, { catalogue, now }) =>
      `lasts ${days((exception.expires - now) / 1000)} more; its class allows ${days(exceptionCapSeconds(exception, catalogue))}`,
    mend: "Let it end earlier; extend it when the time comes.",
  },
  {
    code: "EXCEPTION_MISMATCH",
    holds: (exception, { role }) => exception.role !== role,
    says: (exception, { role }) => `is for role ${exception.role}, not ${role}`,
    mend: "Point to an exception for this role, or request one.",
  },
  {
    code: "EXCEPTION_MISMATCH",
    holds: ({ grant }, { workload }) => grant?.workload !== undefined && !isMeant(grant.workload, workload),
    says: ({ grant }) => `is signed for ${grant?.workload?.kind ?? ""} ${grant?.workload?.name ?? ""} alone`,
    mend: "Have a grant signed for this workload.",
  },
];

/** Never the UID that a reviewed file claims: catalogues take it from whoever may be believed. */
const uidOf = ({ definitions }: Catalogue, { namespace }: Workload): string | undefined =>
  definitions.namespaces.find(({ name }) => name === namespace)?.uid;

const isFor = ({ role, grant }: Exception, use: Use): boolean =>
  role === use.role && (grant?.workload === undefined || isMeant(grant.workload, use.workload));

/** The object itself, or the Pod of one. */
const isMeant = ({ kind, name }: NonNullable<Grant["workload"]>, { object, owner }: Workload): boolean =>
  [object, owner].some((one) => one?.kind === kind && one.name === name);

/** A span of seconds in days, rounded down to a whole one where it is longer than that. */
const days = (seconds: number): string => {
  const whole = Math.floor(seconds / 86_400);
  return whole > 0 ? `${whole} days` : `${Math.floor(seconds / 3600)} hours`;
};

/** Whether an exception permits this escape. */
function excepts(exception: Exception, escape: Escape): boolean {
  if (!("check" in exception.permit)) return false;
  const { check, path } = exception.permit;
  return permits([path === undefined ? check : `${check}:${path}`], escape);
}

import { type Catalogue, type Definitions, makeCatalogue } from "../../domain/catalogue.ts";
import type { Instant } from "../../domain/instant.ts";
import type { PatchOperation } from "../../domain/json-patch.ts";
import { problemLine } from "../../domain/problem.ts";
import { type Conflict, conflictsOf, type Party } from "../../identity/conflicts.ts";
import {
  type Approvable,
  type ApprovedRecord,
  type ObjectKey,
  readApprovable,
} from "../../wire/definitions/approvable.ts";
import { KINDS } from "../../wire/kinds.ts";
import { GROUP, VERSION } from "../../wire/kinds/kind.ts";
import type { KubeObject } from "../../wire/objects.ts";
import type { EventAction } from "../events.ts";
import { type Candidate, readCandidate, withCandidate } from "./candidate.ts";
import {
  approvalConditions,
  mergeConditions,
  namespacesCondition,
  type Obstacle,
  type Said,
  selfApprovalCondition,
} from "./conditions.ts";
import { type Decision, decideGeneration, type Purpose, recordInForce, settle } from "./generation.ts";
import { countdown, countdownEvent } from "./countdown.ts";
import { tooLong } from "./too-long.ts";
import { fallbackSaid } from "./fell-back.ts";
import { namespacesAnew } from "./namespaces.ts";
import { statusPatch } from "./status-patch.ts";
import { type Tally, tally } from "./tally.ts";
import { type Established, establish, isLocalTrustDomain } from "./terms.ts";

/** Signet's own kinds and namespaces as they are at one moment. */
export type ApprovalSnapshot = {
  /** Every object of group signet.dev; others are left aside. */
  readonly objects: readonly KubeObject[];
  /** What of them is in force, and the live namespaces with their UIDs. */
  readonly definitions: Definitions;
};

/** What has to be written into the status of one object, and what for. Done twice it does nothing. */
export type ApprovalAction = {
  readonly do: Purpose;
  readonly object: ObjectKey;
  readonly why: string;
  /** JSON Patch of the status subresource; its first operation tests the resource version. */
  readonly patch: readonly PatchOperation[];
  /** What is said beside the object when it is done. */
  readonly event?: EventAction;
};

/** One object, and how far its newest generation is approved. */
export type Standing = {
  readonly object: KubeObject;
  readonly approvable: Approvable;
  /** Absent where the spec cannot be read. */
  readonly tally?: Tally;
  readonly decision: Decision;
};

/**
 * Decides what to record about approvals (product rules, "Approval"): at most one action an object. The TrustDomain comes
 * last: what it changes counts for the others in the next round, when the API server knows of it too.
 */
export function decideApprovals(snapshot: ApprovalSnapshot, now: Instant): readonly ApprovalAction[] {
  const round = new Round(snapshot, now);
  return round.standings().flatMap((standing) => {
    const writable = round.mayWrite || isLocalTrustDomain(standing.approvable);
    return (writable ? actionOf(standing, snapshot, now) : undefined) ?? [];
  });
}

/** Where every object stands: what it needs, what it has, and what would be recorded now. */
export const approvalStandings = (snapshot: ApprovalSnapshot, now: Instant): readonly Standing[] =>
  new Round(snapshot, now).standings();

/** One look at everything. What it records counts at once: the second of two that conflict is refused in the same round. */
class Round {
  /** Until our TrustDomain is there, and has come into force if it is new, the API server takes no status of others. */
  readonly mayWrite: boolean;
  readonly #subjects: readonly Subject[];
  readonly #established: Established;
  readonly #now: Instant;
  #definitions: Definitions;
  #catalogue: Catalogue | undefined;

  constructor(snapshot: ApprovalSnapshot, now: Instant) {
    this.#now = now;
    this.#definitions = snapshot.definitions;
    this.#subjects = subjectsOf(snapshot.objects);
    this.#established = termsOf(this.#subjects, snapshot.definitions);
    this.mayWrite = ["inForce", "waiting"].includes(this.#established.trustDomain);
  }

  standings(): readonly Standing[] {
    return this.#subjects.map((subject) => this.#stand(subject));
  }

  #stand({ object, approvable }: Subject): Standing {
    const established = this.#established;
    const candidate = readCandidate(object);
    if (!candidate.ok) {
      const obstacle = { reason: "SpecInvalid", message: candidate.problems.map(problemLine).join(" ").slice(0, 4096) };
      const inForce = recordInForce(approvable);
      return { object, approvable, decision: settle({ approvable, obstacle, ...(inForce ? { inForce } : {}) }) };
    }
    const counts = tally(approvable, candidate.value, { established, definitions: this.#definitions });
    const homeless = established.trustDomain !== "inForce" && !isLocalTrustDomain(approvable);
    const obstacle = homeless ? NO_TRUST_DOMAIN : this.#obstacle(approvable, candidate.value);
    const former = formerOf(candidate.value, this.#definitions);
    const one = { approvable, candidate: candidate.value, tally: counts, obstacle, ...(former ? { former } : {}) };
    const decision = decideGeneration(one, this.#definitions, this.#now);
    if (decision.records) this.#remember(candidate.value, decision.records);
    return { object, approvable, tally: counts, decision };
  }

  #remember(candidate: Candidate, { generation, by, namespaceUIDs = {} }: ApprovedRecord): void {
    const approval = { state: "approved", generation, by } as const;
    this.#definitions = withCandidate(this.#definitions, candidate, approval, namespaceUIDs);
    this.#catalogue = undefined;
  }

  #known(): Catalogue {
    this.#catalogue ??= makeCatalogue(this.#definitions, "");
    return this.#catalogue;
  }

  /** A conflict that the newest generation would bring; one that is there already is no reason to refuse an edit. */
  #obstacle(approvable: Approvable, candidate: Candidate): Obstacle | undefined {
    const party = partyOf(candidate);
    const { generation } = approvable;
    if (recordInForce(approvable)?.generation === generation) return undefined;
    if (candidate.exception) return tooLong(candidate.exception, this.#known(), this.#now);
    if (!party) return undefined;
    const known = new Set(conflictsOf(this.#known(), party).map(({ key }) => key));
    const approval = { state: "approved", generation, by: [] } as const;
    const next = makeCatalogue(withCandidate(this.#definitions, candidate, approval, {}), "");
    const found = conflictsOf(next, party).filter(({ key }) => !known.has(key));
    const [first] = [...found].sort((a, b) => (a.key < b.key ? -1 : 1));
    return first && { reason: REASONS[first.code], message: first.message };
  }
}

const formerOf = ({ exception }: Candidate, { exceptions }: Definitions) =>
  exception && exceptions.find(({ namespace, name }) => namespace === exception.namespace && name === exception.name);

const NO_TRUST_DOMAIN: Obstacle = {
  reason: "TrustDomainMissing",
  message: "No TrustDomain named local is in force; it says how many people must approve.",
};

const REASONS = {
  IDENTITY_SPANS_SEGMENTS: "IdentitySpansSegments",
  SEGMENT_STRICT: "SegmentStrict",
} as const satisfies Readonly<Record<Conflict["code"], string>>;

const partyOf = ({ role, segment }: Candidate): Party | undefined =>
  role ? { kind: "role", name: role.name } : segment && { kind: "segment", name: segment.name };

type Subject = { readonly object: KubeObject; readonly approvable: Approvable };

/** In the order in which one would write them, the TrustDomain at the end; by name within a kind. */
function subjectsOf(objects: readonly KubeObject[]): readonly Subject[] {
  const kinds = KINDS.filter(({ kind }) => kind !== "Restriction" && kind !== "TrustDomain");
  return [...kinds, ...KINDS.filter(({ kind }) => kind === "TrustDomain")].flatMap(({ kind, scope }) =>
    objects
      .filter((object) => object.kind === kind && object.apiVersion === `${GROUP}/${VERSION}`)
      .map((object) => ({ object, approvable: readApprovable(object, scope) }))
      .filter(({ approvable }) => !approvable.deleting)
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
  );
}

const keyOf = ({ approvable: { object } }: Subject): string => `${object.namespace}/${object.name}`;

function termsOf(subjects: readonly Subject[], { trustDomain }: Definitions): Established {
  const local = subjects.find(({ approvable }) => isLocalTrustDomain(approvable));
  const anyApproved = subjects.some(({ approvable }) => approvable.approved !== undefined);
  return establish(trustDomain, local?.approvable, anyApproved);
}

function actionOf(standing: Standing, snapshot: ApprovalSnapshot, now: Instant): ApprovalAction | undefined {
  const { approvable, decision } = standing;
  const { generation, observedGeneration } = approvable;
  const conditions = mergeConditions(approvable.conditions, saidOf(standing, snapshot, now), generation, now);
  if (decision.do === "setConditions" && !conditions && observedGeneration === generation) return undefined;
  const change = {
    ...decision.change,
    ...(conditions ? { conditions } : {}),
    ...(observedGeneration === generation ? {} : { observedGeneration: generation }),
  };
  const event = conditions && countdownEvent(approvable, conditions);
  return {
    do: decision.do,
    object: approvable.object,
    why: decision.why,
    patch: statusPatch(approvable, change),
    ...(event ? { event } : {}),
  };
}

function saidOf(standing: Standing, { definitions }: ApprovalSnapshot, now: Instant): readonly Said[] {
  const { outcome } = standing.decision;
  const said = [...approvalConditions(outcome, now)];
  if (outcome.exception) said.push(...countdown({ ...outcome, exception: outcome.exception }, now));
  if (standing.approvable.object.kind === "Segment" && outcome.inForce)
    said.push(namespacesCondition(namespacesAnew(outcome.inForce, definitions.namespaces)));
  const fallback = fallbackSaid(standing.approvable, definitions);
  if (fallback) said.push(fallback);
  if (isLocalTrustDomain(standing.approvable))
    said.push(selfApprovalCondition(definitions.trustDomain?.approvals.required ?? 1));
  return said;
}

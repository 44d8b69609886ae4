import { inCanary } from "../identity/canary.ts";
import type { Catalogue } from "../domain/catalogue.ts";
import type { Definition, Exception, Role, Segment } from "../domain/definitions.ts";
import { exceptionState } from "../domain/exception-state.ts";
import { EXEMPT_NAMESPACES } from "../domain/exempt-namespaces.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { PROBLEM_CODES } from "../domain/problem-codes.ts";
import { EXCEPTION_ANNOTATION } from "../domain/reserved-keys.ts";
import type { Workload } from "../domain/workload.ts";
import { candidatesOf, misfit } from "../identity/fit-role.ts";
import type { KubeObject } from "../wire/objects.ts";
import { placeOfPath } from "../wire/path-steps.ts";
import { sourceOf } from "../wire/read-object.ts";
import { approvalText, exceptionView, placeText, roleView, segmentView } from "./definition-views.ts";
import { mendingCommand } from "./mending-command.ts";
import type { ReviewedObject } from "./review-input.ts";
import { reviewView } from "./review-view.ts";

/** What a report is made of. */
export type WhyInput = {
  readonly catalogue: Catalogue;
  /** The objects that the catalogue was read from. */
  readonly definitions: readonly KubeObject[];
  readonly reviewed: ReviewedObject;
  readonly now: Instant;
  /** The catalogue's folder as the user wrote it. */
  readonly folder: string;
};

/** Everything that made a verdict, as `--output json` prints it. */
export type WhyReport = ReturnType<typeof whyReport>;

/** Explains one verdict: the roles that came into question, the definitions that decided, and what mends each problem. */
export function whyReport(input: WhyInput) {
  const { catalogue, reviewed, now, folder } = input;
  const { workload, verdict } = reviewed;
  const candidates = candidateViews(catalogue, workload);
  const exceptions = pointedExceptions(catalogue, workload);
  const exception = exceptions.find((each) => exceptionState(catalogue, each, now) === "active") ?? exceptions[0];
  const { problems: _, ...view } = reviewView(reviewed);
  return {
    ...view,
    at: formatInstant(now),
    source: placeText(workload.source),
    serviceAccount: workload.serviceAccount,
    creator: workload.creator ?? null,
    enrolled: verdict.enrolled,
    decided: decisions(input),
    candidates,
    definitions: {
      namespace: namespacePlace(input) ?? null,
      role: verdict.identity ? roleView(catalogue, verdict.identity.role) : null,
      segment: verdict.identity ? segmentView(catalogue, verdict.identity.segment) : null,
      exception: exception ? exceptionView(catalogue, exception, now) : null,
    },
    problems: verdict.problems.map((problem) => ({
      code: problem.code,
      path: problem.path,
      message: problem.message,
      source: placeText(placeOfPath(reviewed.object, problem.path)),
      rule: PROBLEM_CODES[problem.code].why,
      mend: problem.mend ?? PROBLEM_CODES[problem.code].mend,
      command: mendingCommand({
        workload,
        problem,
        catalogue: folder,
        ...namesFor(catalogue, workload, candidates, verdict.identity),
      }),
    })),
  };
}

type Candidate = {
  readonly name: string;
  readonly segment: string;
  readonly fits: boolean;
  /** What keeps it from fitting; null where it fits. */
  readonly misfit: string | null;
  readonly approval: string;
  readonly source: string;
};

/** Every role that can be held in the namespace: those that fit first, then those of the account, then the others. */
function candidateViews(catalogue: Catalogue, workload: Workload): readonly Candidate[] {
  const covering = candidatesOf(catalogue, workload);
  const all = catalogue.namespaces.get(workload.namespace)?.roles ?? [];
  const others = all.filter((role) => !covering.includes(role));
  const views = [
    ...covering.map((role) => candidateView(role, misfit(role, workload))),
    ...others.map((role) => candidateView(role, accountMisfit(role, workload))),
  ];
  return [...views.filter(({ fits }) => fits), ...views.filter(({ fits }) => !fits)];
}

const candidateView = (role: Role, reason: string | undefined): Candidate => ({
  name: role.name,
  segment: role.segment,
  fits: reason === undefined,
  misfit: reason ?? null,
  approval: approvalText(role.approval),
  source: placeText(role.source),
});

const accountMisfit = ({ match }: Role, { serviceAccount }: Workload): string =>
  match.serviceAccounts
    ? `it names the service accounts ${match.serviceAccounts.join(", ")}, not ${serviceAccount}`
    : "it names no service account, and default fits only a role that names it";

const pointedExceptions = (catalogue: Catalogue, { namespace, annotations }: Workload): readonly Exception[] =>
  Object.hasOwn(annotations, EXCEPTION_ANNOTATION)
    ? (catalogue.exceptions.get(`${namespace}/${annotations[EXCEPTION_ANNOTATION] ?? ""}`) ?? [])
    : [];

function namesFor(
  catalogue: Catalogue,
  workload: Workload,
  candidates: readonly Candidate[],
  identity: { readonly role: Role; readonly segment: Segment } | undefined,
) {
  const roles = catalogue.namespaces.get(workload.namespace)?.roles ?? [];
  const definitions: readonly (Definition & { readonly kind: string })[] = identity
    ? [
        { ...identity.role, kind: "WorkloadRole" },
        { ...identity.segment, kind: "Segment" },
      ]
    : [];
  return {
    fits: candidates.filter(({ fits }) => fits).map(({ name }) => name),
    accounts: [...new Set(roles.flatMap(({ match }) => match.serviceAccounts ?? []))].sort(),
    definitions,
  };
}

/** Place of the Namespace object, in the catalogue or among the reviewed files. */
function namespacePlace({ definitions, reviewed }: WhyInput): string | undefined {
  const object = definitions.find(
    ({ apiVersion, kind, name }) => apiVersion === "v1" && kind === "Namespace" && name === reviewed.workload.namespace,
  );
  return object && placeText(sourceOf(object, []));
}

/** What decided, one sentence each: enrolment, role, mode, exception, approval. */
function decisions(input: WhyInput): readonly string[] {
  const { reviewed, catalogue, now } = input;
  const { workload, verdict } = reviewed;
  if (EXEMPT_NAMESPACES.has(workload.namespace))
    return [`Namespace ${workload.namespace} is exempt by name: nothing is refused there but reserved keys.`];
  return [
    enrolment(input),
    ...(verdict.identity ? [modeSentence(verdict.identity.segment, workload)] : []),
    ...pointedExceptions(catalogue, workload).map(
      (each) => `Exception ${each.name} is ${exceptionState(catalogue, each, now)}.`,
    ),
    APPROVAL[verdict.approval],
  ];
}

const APPROVAL = {
  approved: "Role and segment are approved.",
  unchecked: "Approval is unchecked: a folder carries none, and --require-approval would refuse.",
  none: "Approval does not come into it: there is no role.",
} as const;

function enrolment(input: WhyInput): string {
  const { namespace } = input.reviewed.workload;
  const place = namespacePlace(input);
  const where = place === undefined ? "" : ` (${place})`;
  return input.reviewed.verdict.enrolled
    ? `Namespace ${namespace}${where} is enrolled: a workload without a role is refused there.`
    : `Namespace ${namespace}${where} is not enrolled: whatever is found is a warning.`;
}

function modeSentence(segment: Segment, workload: Workload): string {
  const fell = segment.fallback ? `, to which it fell back from ${segment.fallback.from}` : "";
  const begin = `Segment ${segment.name} is in mode ${segment.mode}${fell}`;
  if (segment.mode === "enforce") return `${begin}: a failed check refuses.`;
  if (segment.mode !== "canary") return `${begin}: a failed check warns.`;
  return inCanary(segment, workload)
    ? `${begin}, which names this workload: a failed check refuses.`
    : `${begin}, which does not name this workload: a failed check warns.`;
}

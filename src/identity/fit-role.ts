import { type Catalogue, type NamespaceView, rolesOfIdentity } from "../domain/catalogue.ts";
import type { Role, Segment } from "../domain/definitions.ts";
import { selects } from "../domain/label-selector.ts";
import { ok, problem, type Problem, refuseAll, type Result } from "../domain/problem.ts";
import { Forgetful, remembered } from "../domain/remembered.ts";
import { USE_ROLE_ANNOTATION } from "../domain/reserved-keys.ts";
import { composeSpiffeId, type SpiffeId } from "../domain/spiffe-id.ts";
import type { Workload } from "../domain/workload.ts";

/** Who a workload is: its one role, the segment that follows, and the name that goes on its certificate. */
export type Identity = { readonly role: Role; readonly segment: Segment; readonly spiffeId: SpiffeId };

/** What identity depends on; admission, signing and reconciling all come here. */
export type Bearer = Pick<
  Workload,
  "kind" | "serves" | "namespace" | "serviceAccount" | "labels" | "annotations" | "creator" | "metadataPath"
>;

/**
 * Derives role, segment and SPIFFE ID (product rules, "Role" and "Segment is a function of identity"): exactly one role must
 * fit; there is no order of specificity; `signet.dev/use-role` may pick one of several that fit and never another.
 */
export function deriveIdentity(catalogue: Catalogue, bearer: Bearer): Result<Identity> {
  const candidates = candidatesOf(catalogue, bearer);
  const spiffeId = nameOf(catalogue, bearer, candidates.length > 0);
  if (!spiffeId.ok) return spiffeId;
  const spanning = spansSegments(candidates, bearer);
  if (spanning) return refuseAll([spanning]);
  const role = oneRole(catalogue, bearer, candidates);
  if (!role.ok) return role;
  const segment = catalogue.segments.get(role.value.segment);
  if (!segment) throw new Error(`role ${role.value.name} covers a namespace of a segment that is not in the catalogue`);
  return ok(identityOf(role.value, segment, spiffeId.value));
}

const namesIn = remembered((_: NamespaceView) => new Forgetful<string, Result<SpiffeId>>());

/** The name of an account. Where some role covers it, it is checked and put together once for each snapshot: patterns take long. */
function nameOf(
  { trustDomain, namespaces }: Catalogue,
  { namespace, serviceAccount }: Bearer,
  covered: boolean,
): Result<SpiffeId> {
  const view = covered ? namespaces.get(namespace) : undefined;
  const known = view && namesIn(view).get(serviceAccount);
  if (known) return known;
  const name = composeSpiffeId(trustDomain, namespace, serviceAccount);
  if (view && name.ok) namesIn(view).set(serviceAccount, name);
  return name;
}

const identities = remembered((_: Role) => new Forgetful<SpiffeId, Identity>());

/** One object for one identity while its definitions are in force: what follows from it alone is made once, by `remembered`. */
function identityOf(role: Role, segment: Segment, spiffeId: SpiffeId): Identity {
  const known = identities(role).get(spiffeId);
  if (known?.segment === segment) return known;
  const made = Object.freeze({ role, segment, spiffeId });
  identities(role).set(spiffeId, made);
  return made;
}

/** Roles that can cover the bearer's namespace and service account. */
export function candidatesOf(catalogue: Catalogue, bearer: Bearer): readonly Role[] {
  const view = catalogue.namespaces.get(bearer.namespace);
  return view ? rolesOfIdentity(view, bearer.serviceAccount) : [];
}

/** Roles that fit in everything. */
export const fitting = (candidates: readonly Role[], bearer: Bearer): readonly Role[] =>
  candidates.filter((role) => misfit(role, bearer) === undefined);

/** What keeps a role that covers the identity from fitting, as the end of a sentence; undefined where it fits. */
export function misfit(role: Role, bearer: Bearer): string | undefined {
  const { kinds, labels, createdBy } = role.match;
  const isFunction = bearer.serves === "function" && kinds.includes("Function");
  if (!kinds.includes(bearer.kind) && !isFunction) return `it is for kind ${kinds.join(", ")}, not ${bearer.kind}`;
  if (!selects(labels, bearer.labels)) return "the labels do not match its podLabels";
  if (createdBy.length === 0) return undefined;
  if (bearer.creator === undefined) return "who creates the workload is not known, and the role asks for it";
  return createdBy.includes(bearer.creator) ? undefined : `${bearer.creator} is not among its createdBy`;
}

function spansSegments(candidates: readonly Role[], bearer: Bearer): Problem | undefined {
  const first = candidates[0];
  const other = candidates.find((role) => role.segment !== first?.segment);
  if (!first || !other) return undefined;
  return problem(
    "IDENTITY_SPANS_SEGMENTS",
    accountPath(bearer),
    `Account ${bearer.namespace}/${bearer.serviceAccount} belongs to two segments: ${name(first)} and ${name(other)}.`,
    "Give the roles different service accounts, or put them in one segment.",
  );
}

const name = (role: Role): string => `role ${role.name} of ${role.segment}`;

function oneRole(catalogue: Catalogue, bearer: Bearer, candidates: readonly Role[]): Result<Role> {
  const fits = fitting(candidates, bearer);
  const wanted = Object.hasOwn(bearer.annotations, USE_ROLE_ANNOTATION)
    ? bearer.annotations[USE_ROLE_ANNOTATION]
    : undefined;
  if (wanted !== undefined) return pickedRole(wanted, fits, bearer);
  const only = fits[0];
  if (only && fits.length === 1) return ok(only);
  return refuseAll([only ? ambiguous(fits, bearer) : noRole(catalogue, bearer, candidates)]);
}

function pickedRole(wanted: string, fits: readonly Role[], bearer: Bearer): Result<Role> {
  const picked = fits.find((role) => role.name === wanted);
  if (picked) return ok(picked);
  const fitting = fits.length === 0 ? "No role fits it." : `Roles that fit it: ${names(fits)}.`;
  return refuseAll([
    problem(
      "ROLE_NOT_ENTITLED",
      `${bearer.metadataPath}.annotations.${USE_ROLE_ANNOTATION}`,
      `${USE_ROLE_ANNOTATION} asks for "${wanted}", which does not fit this ${bearer.kind}. ${fitting}`,
      "The annotation picks one of several roles that fit; it grants none.",
    ),
  ]);
}

const ambiguous = (fits: readonly Role[], bearer: Bearer): Problem =>
  problem(
    "ROLE_AMBIGUOUS",
    accountPath(bearer),
    `${fits.length} roles fit account ${bearer.namespace}/${bearer.serviceAccount}: ${names(fits)}.`,
    `Pick one with the annotation ${USE_ROLE_ANNOTATION}, or give each role a service account of its own.`,
  );

function noRole(catalogue: Catalogue, bearer: Bearer, candidates: readonly Role[]): Problem {
  const account = `${bearer.namespace}/${bearer.serviceAccount}`;
  const roles = catalogue.namespaces.get(bearer.namespace)?.roles ?? [];
  const none = (mend: string): Problem =>
    problem("ROLE_NONE", accountPath(bearer), `No role fits account ${account}.`, mend);
  if (bearer.kind === "VirtualMachine" && bearer.serviceAccount === "default") return none(machineMend(bearer, roles));
  const near = candidates[0];
  if (near)
    return problem(
      "ROLE_NONE",
      accountPath(bearer),
      `No role fits this ${bearer.kind} of account ${account}: role ${near.name} does not, ${misfit(near, bearer)}.`,
      "Change the workload to fit the role, or have the role's match changed and approved.",
    );
  const accounts = roles.flatMap((role) => role.match.serviceAccounts ?? []);
  return none(
    accounts.length === 0
      ? `No role covers namespace ${bearer.namespace}; write a WorkloadRole of a segment that owns it.`
      : `Roles in ${bearer.namespace} name the accounts ${listing(accounts)}; run it under one of these, or write a role.`,
  );
}

/**
 * A machine that names no account runs as `default`, with all others of its namespace. From KubeVirt 1.9 on a field names
 * one (VEP 250); before, a volume does.
 */
function machineMend(bearer: Bearer, roles: readonly Role[]): string {
  const spec = accountPath(bearer).replace(/\.?serviceAccountName$/, "");
  const accounts = roles
    .filter(({ match }) => match.kinds.includes("VirtualMachine"))
    .flatMap(({ match }) => (match.serviceAccounts ?? []).filter((each) => each !== "default"));
  const account = accounts.length === 0 ? "NAME" : listing(accounts);
  return (
    `Name a service account. KubeVirt 1.9 and later: ${spec}.serviceAccountName: ${account}. ` +
    `Before: a volume with serviceAccount: {serviceAccountName: ${account}} in ${spec}.volumes, and a disk or filesystem of its name.`
  );
}

const names = (roles: readonly Role[]): string => listing(roles.map((role) => role.name));

/** At most eight names, the rest as a number. */
const listing = (all: readonly string[]): string => {
  const shown = [...new Set(all)].sort();
  const rest = shown.length - 8;
  return rest > 0 ? `${shown.slice(0, 8).join(", ")} and ${rest} more` : shown.join(", ");
};

const accountPath = (bearer: Bearer): string => {
  if (bearer.kind === "Machine" || bearer.kind === "Function") return "spec.serviceAccount";
  return `${bearer.metadataPath.replace(/metadata$/, "")}spec.serviceAccountName`;
};

import type { ObjectReference, Workload, WorkloadKind } from "../../domain/workload.ts";
import { applicationOf, nameOf } from "./application.ts";

/** One role that is proposed, and why. */
export type ProposedRole = {
  readonly name: string;
  readonly segment: string;
  readonly namespace: string;
  readonly account: string;
  readonly kinds: readonly WorkloadKind[];
  readonly why: string;
  /** What its workloads do that a role has to permit; never permitted by the proposal. */
  readonly escapes: readonly string[];
};

/** One segment that is proposed: the room of a namespace. */
export type ProposedSegment = {
  readonly name: string;
  readonly namespace: string;
  /** Absent where nothing tells. */
  readonly environment?: string;
};

/** A workload that gets a service account of its own, as a patch to look at. */
export type ProposedPatch = {
  readonly object: ObjectReference;
  readonly account: string;
  readonly before: string;
  /** Path of the field, as in a JSON Patch. */
  readonly path: string;
  readonly why: string;
};

/** What is proposed for the workloads of a folder or a cluster. Nothing of it is applied by itself. */
export type Proposal = {
  readonly segments: readonly ProposedSegment[];
  readonly roles: readonly ProposedRole[];
  readonly patches: readonly ProposedPatch[];
  /** Accounts that do not exist yet, as NAMESPACE and name. */
  readonly accounts: readonly { readonly namespace: string; readonly name: string }[];
  /** Namespaces with workloads for which nothing is proposed: they belong to the cluster itself. */
  readonly left: readonly string[];
};

type Application = { readonly namespace: string; readonly name: string; readonly workloads: readonly Workload[] };

/**
 * Proposes a segment for each namespace and a role for each application in it. A role stands on a service account that no
 * other application has: where several share one, or have `default`, each gets an account of its own. What a
 * controller made is left to what speaks for it.
 */
export function propose(workloads: readonly Workload[], exempt: ReadonlySet<string>): Proposal {
  const [ours, foreign] = split(workloads, ({ namespace }) => !exempt.has(namespace));
  const applications = applicationsOf(ours.filter(isMaker));
  const plans = applications.map((application) => planOf(application, applications));
  const names = roleNames(plans);
  return {
    segments: segmentsOf(applications),
    roles: plans.map((plan) => roleOf(plan, names)),
    patches: plans.flatMap(patchesOf),
    accounts: plans
      .filter(({ isNew }) => isNew)
      .map(({ application, account }) => ({ namespace: application.namespace, name: account })),
    left: [...new Set(foreign.map(({ namespace }) => namespace))].sort(),
  };
}

const split = <T>(all: readonly T[], fits: (each: T) => boolean): readonly [readonly T[], readonly T[]] => [
  all.filter(fits),
  all.filter((each) => !fits(each)),
];

/** What a controller made is spoken for by its controller. */
const isMaker = ({ owner }: Workload): boolean => owner === undefined;

function applicationsOf(workloads: readonly Workload[]): readonly Application[] {
  const groups = Map.groupBy(workloads, (each) => `${each.namespace}/${applicationOf(each)}`);
  return [...groups.values()]
    .flatMap((group) =>
      group[0] ? [{ namespace: group[0].namespace, name: applicationOf(group[0]), workloads: group }] : [],
    )
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
}

/** An application, the account that its role stands on, and why that one. */
type Plan = {
  readonly application: Application;
  readonly account: string;
  readonly isNew: boolean;
  readonly why: string;
};

function planOf(application: Application, all: readonly Application[]): Plan {
  const [account = "default", ...more] = accountsOf(application);
  const sharing = all.filter(
    (each) => each !== application && each.namespace === application.namespace && accountsOf(each).includes(account),
  );
  const own =
    accountsOf(application).includes(application.name) || !all.some((each) => isAccountOf(each, application))
      ? application.name
      : nameOf(`${application.name}-workload`);
  if (account === "default")
    return { application, account: own, isNew: true, why: `it runs as default, with whatever else names no account` };
  if (sharing.length > 0)
    return {
      application,
      account: own,
      isNew: own !== account,
      why: `account ${account} is also ${listed(sharing)}'s`,
    };
  if (more.length > 0)
    return {
      application,
      account,
      isNew: false,
      why: `its workloads have several accounts: ${[account, ...more].join(", ")}`,
    };
  return { application, account, isNew: false, why: `account ${account} is its alone` };
}

/** Whether another application of the namespace runs under the account that this one would get. */
const isAccountOf = (other: Application, { namespace, name, workloads }: Application): boolean =>
  other.namespace === namespace && other.workloads !== workloads && accountsOf(other).includes(name);

const listed = (applications: readonly Application[]): string => {
  const names = applications.slice(0, 3).map(({ name }) => name);
  return applications.length > 3 ? `${names.join(", ")} and ${applications.length - 3} more` : names.join(" and ");
};

const accountsOf = ({ workloads }: Application): readonly string[] => [
  ...new Set(workloads.map(({ serviceAccount }) => serviceAccount)),
];

/** Roles belong to the cluster: a name that two namespaces would use gets the namespace before it. */
function roleNames(plans: readonly Plan[]): (plan: Plan) => string {
  const counts = Map.groupBy(plans, ({ application }) => application.name);
  return ({ application: { name, namespace } }) =>
    (counts.get(name)?.length ?? 0) > 1 ? nameOf(`${namespace}-${name}`) : name;
}

const roleOf = (plan: Plan, names: (plan: Plan) => string): ProposedRole => ({
  name: names(plan),
  segment: plan.application.namespace,
  namespace: plan.application.namespace,
  account: plan.account,
  kinds: [...new Set(plan.application.workloads.map(({ kind }) => kind))],
  why: plan.why,
  escapes: [...new Set(plan.application.workloads.flatMap(({ escapes }) => escapes.map(({ permit }) => permit)))],
});

const patchesOf = ({ application, account, why }: Plan): readonly ProposedPatch[] =>
  application.workloads
    .filter(({ serviceAccount }) => serviceAccount !== account)
    .map((workload) => ({
      object: workload.object,
      account,
      before: workload.serviceAccount,
      path: accountField(workload),
      why,
    }));

const accountField = ({ kind, metadataPath }: Workload): string => {
  if (kind === "Machine" || kind === "Function") return "/spec/serviceAccount";
  return `/${metadataPath.replace(/metadata$/, "").replaceAll(".", "/")}spec/serviceAccountName`;
};

const ENVIRONMENTS: readonly (readonly [RegExp, string])[] = [
  [/(^|-)(prod|production|live)($|-)/, "prod"],
  [/(^|-)(staging|stage|preprod)($|-)/, "staging"],
  [/(^|-)(test|qa|uat)($|-)/, "test"],
  [/(^|-)(dev|development|sandbox)($|-)/, "dev"],
];

function segmentsOf(applications: readonly Application[]): readonly ProposedSegment[] {
  return [...new Set(applications.map(({ namespace }) => namespace))].sort().map((namespace) => {
    const environment = ENVIRONMENTS.find(([pattern]) => pattern.test(namespace))?.[1];
    return { name: namespace, namespace, ...(environment === undefined ? {} : { environment }) };
  });
}

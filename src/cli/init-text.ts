import type { Proposal, ProposedPatch, ProposedRole, ProposedSegment } from "../learn/propose/propose.ts";
import { yamlText } from "../wire/yaml-text.ts";

/** The files of a proposal: path → text. Every choice says in a comment why it was made. */
export function proposalFiles(proposal: Proposal, domain: string): Readonly<Record<string, string>> {
  const accounts = proposal.accounts.length + proposal.patches.length > 0;
  return {
    "catalogue/catalogue.yaml": catalogueText(proposal, domain),
    ...(accounts ? { "accounts/service-accounts.yaml": accountsText(proposal) } : {}),
    ...(accounts ? { "accounts/kustomization.yaml": patchesText(proposal.patches) } : {}),
  };
}

const OURS = "signet.dev/v1alpha1";

/** A machine needs more than its own role: KubeVirt attaches, imports and exports in Pods of their own. */
const machineNote = (roles: readonly ProposedRole[]): readonly string[] =>
  roles.some(({ kinds }) => kinds.includes("VirtualMachine"))
    ? ["It has virtual machines: add the roles for what KubeVirt creates besides, manifests/helper-roles."]
    : [];

const commented = (why: readonly string[], object: object): string =>
  `${why.map((line) => `# ${line}\n`).join("")}${yamlText(object)}`;

function catalogueText({ segments, roles, left }: Proposal, domain: string): string {
  const documents = [
    trustDomain(domain),
    ...segments.flatMap((segment) => {
      const own = roles.filter((role) => role.segment === segment.name);
      return [segmentText(segment, machineNote(own)), ...own.map(roleText)];
    }),
  ];
  return `${HEAD}${documents.join("---\n")}${leftText(left)}`;
}

const HEAD = `# Proposed by \`signet init\` from what is there. Read it, change it, commit it; nothing is applied by itself.
# Then: signet lint, signet review, kubectl apply. Segments observe until you promote them.
`;

const trustDomain = (domain: string): string =>
  commented(["One name for this cluster. It stands in every certificate: choose it once."], {
    apiVersion: OURS,
    kind: "TrustDomain",
    metadata: { name: "local" },
    spec: { domain },
  });

function segmentText({ name, namespace, environment }: ProposedSegment, notes: readonly string[]): string {
  const why = [
    `A room for namespace ${namespace}: whoever may create Pods there can be any of its roles, so it is the unit of trust.`,
    environment === undefined
      ? "Name its environment (prod, test …), so that a fence can keep environments apart."
      : `Its environment is guessed from the namespace's name.`,
    ...notes,
    `Nothing is refused before you enrol it: kubectl label namespace ${namespace} signet.dev/enrol=true`,
  ];
  const spec = { ...(environment === undefined ? {} : { environment }), namespaces: [namespace], mode: "observe" };
  return commented(why, { apiVersion: OURS, kind: "Segment", metadata: { name }, spec });
}

function roleText({ name, segment, account, kinds, why, escapes }: ProposedRole): string {
  const spec = { segment, match: { serviceAccounts: [account], kinds } };
  const text = commented([`${why[0]?.toUpperCase()}${why.slice(1)}.`], {
    apiVersion: OURS,
    kind: "WorkloadRole",
    metadata: { name },
    spec,
  });
  if (escapes.length === 0) return text;
  const permits = escapes.map((permit) => `  #   - ${JSON.stringify(permit)}\n`).join("");
  return `${text}  # It reaches out of its own boundary. Take that away, or permit it on purpose:\n  # permits:\n${permits}`;
}

const leftText = (left: Proposal["left"]): string =>
  left.length === 0 ? "" : `# Left alone, as it belongs to the cluster itself: ${left.join(", ")}.\n`;

const accountsText = ({ accounts }: Proposal): string =>
  `# Service accounts that do not exist yet. None gets any right, nor a token in its Pods.\n${accounts
    .map(({ namespace, name }) =>
      yamlText({
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name, namespace },
        automountServiceAccountToken: false,
      }),
    )
    .join("---\n")}`;

/** A kustomization to put over the application's own: `resources` is where that is. */
function patchesText(patches: readonly ProposedPatch[]): string {
  const head = `# Gives each workload the account of its role. Add your application's own manifests to \`resources\`, and look at
# \`kubectl kustomize\` before you apply it. Rights and pull secrets of the old account do not come along.
`;
  const why = patches.map(
    ({ object: { kind, name }, before, account, why: reason }) =>
      `# ${kind} ${name}: ${before} → ${account}, for ${reason}.\n`,
  );
  return `${head}${why.join("")}${yamlText({
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: ["service-accounts.yaml"],
    patches: patches.map(({ object, account, path }) => ({
      target: { kind: object.kind, name: object.name, namespace: object.namespace },
      patch: yamlText([{ op: "add", path, value: account }]),
    })),
  })}`;
}

import { APPROVED, editorsOf, mayApprove, onResources, TERMS } from "./approval-words.ts";
import { allowed, FROM_SIGNET } from "./cel.ts";
import { type Check, type Manifest, type Named, validating } from "./policy-object.ts";

const statusVariables: readonly Named[] = [
  ...TERMS,
  { name: "ours", expression: FROM_SIGNET },
  { name: "me", expression: "request.userInfo.username" },
  { name: "was", expression: "oldObject.?status.approvals.orValue([])" },
  { name: "now", expression: "object.?status.approvals.orValue([])" },
  { name: "added", expression: "variables.now.filter(a, !(a in variables.was))" },
  {
    name: "approving",
    expression: "variables.added.filter(a, !a.?withdraw.orValue(false) && !a.?deny.orValue(false))",
  },
  { name: "withdrawing", expression: "variables.added.filter(a, a.?withdraw.orValue(false))" },
  { name: "lost", expression: "variables.was.filter(a, !(a in variables.now))" },
  { name: "generation", expression: "object.metadata.generation" },
  {
    name: "editors",
    expression: `${editorsOf("object")}.split(',').map(e, e.replace('%2C', ',').replace('%25', '%')).filter(e, e != '')`,
  },
  {
    name: "gitReviewed",
    expression: "variables.editors.size() > 0 && variables.editors.all(e, e in variables.git)",
  },
];

/** Entries are added at the end, each in the caller's own name, for the generation that is there now. */
const entryChecks: readonly Check[] = [
  {
    expression: "variables.now == variables.was.filter(a, a in variables.now) + variables.added",
    message: "Approvals are added at the end of the list; those that are there keep their place.",
  },
  {
    expression: "variables.lost.all(a, variables.ours && a.generation < object.?status.approved.generation.orValue(0))",
    message: "An approval that is written stays written.",
  },
  {
    expression:
      "variables.added.all(a, a.by == variables.me || " +
      "(variables.ours && variables.gitReviewed && a.by in variables.editors && " +
      "!a.?withdraw.orValue(false) && !a.?deny.orValue(false)))",
    message: "An approval carries the name of whoever gives it: `by` is your own user name.",
  },
  {
    expression: "variables.added.filter(a, !a.?withdraw.orValue(false)).all(a, a.generation == variables.generation)",
    message: "An approval is for the current generation; somebody has edited the object since, look again.",
  },
  {
    expression:
      "variables.withdrawing.all(a, a.generation == variables.generation || " +
      "a.generation == object.?status.approved.generation.orValue(0))",
    message: "What can be withdrawn is the generation in force or the current one.",
  },
];

const others = (expression: string): string => `variables.added.size() == 0 || variables.ours || (${expression})`;

const approverChecks: readonly Check[] = [
  {
    expression: others("!variables.me.startsWith('system:serviceaccount:')"),
    message: "Service accounts do not approve.",
  },
  { expression: others(mayApprove("object")), message: "Approving needs the verb approve on the object." },
  {
    expression: `variables.added.all(a, !a.?segment.hasValue() || ${allowed("approve", "'segments'", "a.segment")})`,
    message: "Speaking for a segment needs the verb approve on that segment.",
  },
  {
    expression:
      "variables.approving.size() == 0 || variables.ours || " +
      "(variables.editors.size() > 0 && !(variables.me in variables.editors))",
    message: "Whoever edited an object since its last approved generation does not approve it.",
  },
];

/** Every field of a status but the list of approvals is Signet's. */
const statusFields = (): readonly string[] =>
  [...new Set(APPROVED.flatMap(({ status }) => Object.keys(status.properties)))]
    .filter((field) => field !== "approvals")
    .sort();

const sameField = (field: string): string => `object.?status.${field} == oldObject.?status.${field}`;

/** The first generation of our TrustDomain is the installer's. */
const INSTALLING =
  "(request.resource.resource == 'trustdomains' && object.metadata.name == 'local' && variables.generation == 1 && " +
  "!oldObject.?status.approved.hasValue())";

/** People that one generation needs, as far as the API server can tell; a segment may ask for none on its policies. */
const NEEDED: Named = {
  name: "needed",
  expression:
    "request.resource.resource == 'segmentpolicies' ? 0 : variables.required + " +
    "(variables.editors.exists(e, e.startsWith('system:serviceaccount:') && !(e in variables.git)) ? 1 : 0) + " +
    "(request.resource.resource == 'segmentexceptions' && object.?spec.permit.check.hasValue() ? 1 : 0)",
};

const recordChecks: readonly Check[] = [
  {
    expression: `variables.ours || (${statusFields().map(sameField).join(" && ")})`,
    message: "Of a status only the list of approvals is yours to write, by adding to it.",
  },
  {
    expression:
      `${sameField("approved")} || !object.?status.approved.hasValue() || ` +
      "(object.status.approved.generation == variables.generation && object.status.approved.spec == object.spec)",
    message: "What is recorded as approved is the current generation, whole.",
  },
  {
    expression:
      `${sameField("approved")} || !object.?status.approved.hasValue() || ${INSTALLING} || variables.needed == 0 || ` +
      "(object.status.approved.by.all(b, " +
      "object.status.approved.by.filter(x, x == b).size() == 1 && " +
      "variables.now.exists(a, a.by == b && a.generation == variables.generation && !a.?withdraw.orValue(false) && " +
      "!a.?deny.orValue(false)) && " +
      "(variables.gitReviewed || !(b in variables.editors))) && " +
      "object.status.approved.by.size() >= variables.needed)",
    message: "A generation comes into force when enough people who did not edit it have approved it.",
  },
];

/** Approvals are given by writing the status, and held by the API server with every webhook down. */
export const approvalPolicies = (): readonly Manifest[] =>
  validating({
    name: "approvals",
    rules: onResources(
      ["UPDATE"],
      APPROVED.map(({ plural }) => `${plural}/status`),
    ),
    withoutTrustDomain: "Deny",
    variables: [...statusVariables, NEEDED],
    checks: [...entryChecks, ...approverChecks, ...recordChecks],
  });

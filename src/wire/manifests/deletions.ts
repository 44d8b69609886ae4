import { editorsOf, ME, mayApprove, onResources, TERMS } from "./approval-words.ts";
import { type Manifest, validating } from "./policy-object.ts";

/** Kinds whose deletion takes an enclosure away, or an identity. */
const ENCLOSING = ["trustdomains", "segments", "workloadroles", "guardrails"];

/** What is in force is taken out of force by those who may approve, by deleting as by withdrawing. */
const deletions = (): readonly Manifest[] =>
  validating({
    name: "deletions",
    rules: onResources(["DELETE"], ENCLOSING),
    conditions: [{ name: "in-force", expression: "oldObject.?status.approved.hasValue()" }],
    checks: [
      {
        expression: mayApprove("oldObject"),
        message: "Deleting what is approved needs the verb approve on the object.",
      },
    ],
  });

/** Lifting a Restriction is approved: done by a second person who may approve, or after one has approved it. */
const liftings = (): readonly Manifest[] =>
  validating({
    name: "liftings",
    rules: onResources(["DELETE"], ["restrictions"]),
    withoutTrustDomain: "Deny",
    variables: [
      ...TERMS,
      { name: "me", expression: ME },
      { name: "editors", expression: `${editorsOf("oldObject")}.split(',')` },
      {
        name: "approved",
        expression:
          "oldObject.?status.approvals.orValue([]).exists(a, a.by != request.userInfo.username && " +
          "!a.?withdraw.orValue(false) && a.generation == oldObject.metadata.generation)",
      },
    ],
    checks: [
      {
        expression: `variables.approved || ((variables.required == 0 || !(variables.me in variables.editors)) && ${mayApprove("oldObject")})`,
        message: "Lifting a Restriction needs the verb approve, and somebody other than its maker.",
      },
    ],
  });

/** The policies that hold deletions, each with its binding. */
export const deletionPolicies = (): readonly Manifest[] => [...deletions(), ...liftings()];

import { EDITORS_ANNOTATION } from "../../domain/reserved-keys.ts";
import { APPROVED, editorsOf, ME, mayApprove, onResources, TERMS } from "./approval-words.ts";
import { quoted } from "./cel.ts";
import { type Manifest, mutating, type Named, validating } from "./policy-object.ts";

const RESOURCES = APPROVED.map(({ plural }) => plural);

/** The list of editors as it must be: unchanged, begun anew after an approved generation, or with the caller added. */
const editorsVariables = (edited: string): readonly Named[] => [
  { name: "me", expression: ME },
  { name: "was", expression: `oldObject == null ? '' : ${editorsOf("oldObject")}` },
  { name: "edited", expression: `oldObject == null || ${edited}` },
  {
    name: "fresh",
    expression:
      "oldObject == null || oldObject.?status.approved.generation.orValue(0) == oldObject.metadata.generation",
  },
  {
    name: "want",
    expression:
      "!variables.edited ? variables.was : (variables.fresh || variables.was == '' ? variables.me : " +
      "(variables.me in variables.was.split(',') ? variables.was : variables.was + ',' + variables.me))",
  },
];

/** Writes down who edits; the generation is not yet raised here, so specs are compared. */
const writeEditors = (): readonly Manifest[] =>
  mutating({
    name: "editors",
    rules: onResources(["CREATE", "UPDATE"], RESOURCES),
    variables: editorsVariables("object.?spec != oldObject.?spec"),
    change: `Object{metadata: Object.metadata{annotations: {${quoted(EDITORS_ANNOTATION)}: variables.want}}}`,
  });

/** Nobody writes the list of editors but by editing. */
const checkEditors = (): readonly Manifest[] =>
  validating({
    name: "editors",
    rules: onResources(["CREATE", "UPDATE"], RESOURCES),
    variables: editorsVariables("object.metadata.generation != oldObject.metadata.generation"),
    checks: [
      {
        expression: `${editorsOf("object")} == variables.want`,
        message: `The annotation ${EDITORS_ANNOTATION} says who edited; it is written for you.`,
      },
    ],
  });

/** Where an edit needs no approval, only those who may approve edit. A service account's edit waits for a person anyway. */
const editingApproves = (): readonly Manifest[] =>
  validating({
    name: "editing-approves",
    rules: onResources(["CREATE", "UPDATE"], RESOURCES),
    withoutTrustDomain: "Allow",
    conditions: [
      {
        name: "edited",
        expression: "oldObject == null || object.metadata.generation != oldObject.metadata.generation",
      },
      { name: "by-a-person", expression: "!request.userInfo.username.startsWith('system:serviceaccount:')" },
    ],
    variables: TERMS,
    checks: [
      {
        expression: `variables.required > 0 || request.resource.resource == 'restrictions' || ${mayApprove("object")}`,
        message: "Here an edit approves itself (approvals.required: 0), so it needs the verb approve on the object.",
      },
    ],
  });

/** The policies that hold who edited, each with its binding. */
export const editorPolicies = (): readonly Manifest[] => [...writeEditors(), ...checkEditors(), ...editingApproves()];

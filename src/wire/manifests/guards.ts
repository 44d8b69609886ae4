import { EXEMPT_NAMESPACES } from "../../domain/exempt-namespaces.ts";
import { ENROL_LABEL, SEGMENT_LABEL } from "../../domain/reserved-keys.ts";
import { TOKEN_AUDIENCE } from "../../domain/token-audience.ts";
import { SIGNER_NAME } from "../workloads/escapes.ts";
import { allowed, FROM_NODE, FROM_SIGNET, quoted, reservedAnnotation, reservedLabel } from "./cel.ts";
import { FOREIGN_BUNDLES, TRUST_BUNDLE } from "./names.ts";
import { type Manifest, type Named, type Rule, validating } from "./policy-object.ts";

const NOT_SIGNET: Named = { name: "not-signet", expression: `!(${FROM_SIGNET})` };

const KUBEVIRT = "kubevirt.io";
const VMIS = "virtualmachineinstances";

const LABELS = "object.metadata.?labels.orValue({})";
const ANNOTATIONS = "object.metadata.?annotations.orValue({})";

/** Maps of the old object; a Binding has none, so everything on it is new. */
const METADATA_MAPS: readonly Named[] = [
  { name: "labels", expression: LABELS },
  { name: "annotations", expression: ANNOTATIONS },
  { name: "oldLabels", expression: `oldObject == null ? {} : oldObject.metadata.?labels.orValue({})` },
  { name: "oldAnnotations", expression: `oldObject == null ? {} : oldObject.metadata.?annotations.orValue({})` },
];

const unchanged = (now: string, was: string, reserved: (key: string) => string): string =>
  `variables.${now}.all(k, !${reserved("k")} || (k in variables.${was} && variables.${was}[k] == variables.${now}[k])) && ` +
  `variables.${was}.all(k, !${reserved("k")} || k in variables.${now})`;

/**
 * Nobody but Signet changes a reserved key of what runs, on any path that can: the Pod itself, its status (where nodes may
 * write annotations), and bindings, whose labels and annotations are copied onto the Pod. Creating a Pod is no such path.
 */
const stamps = (): readonly Manifest[] =>
  validating({
    name: "stamps",
    rules: [
      { group: "", operations: ["UPDATE"], resources: ["pods", "pods/status"] },
      { group: "", operations: ["CREATE"], resources: ["pods/binding", "bindings"] },
      { group: KUBEVIRT, operations: ["UPDATE"], resources: [VMIS] },
    ],
    conditions: [NOT_SIGNET],
    variables: METADATA_MAPS,
    checks: [
      {
        expression: unchanged("labels", "oldLabels", reservedLabel),
        message: "Labels under signet.dev/ and role.signet.dev/ are Signet's stamp; nobody else changes them.",
      },
      {
        expression: unchanged("annotations", "oldAnnotations", reservedAnnotation),
        message: "Annotations under signet.dev/ are Signet's stamp; nobody else changes them.",
      },
    ],
  });

const BORN: readonly Rule[] = [
  { group: "", operations: ["CREATE"], resources: ["pods"] },
  { group: KUBEVIRT, operations: ["CREATE"], resources: [VMIS] },
];

const unborn = [
  {
    expression: `!${LABELS}.exists(k, ${reservedLabel("k")})`,
    message: "A label under signet.dev/ or role.signet.dev/ is Signet's stamp; take it out of the manifest.",
  },
  {
    expression: `!${ANNOTATIONS}.exists(k, ${reservedAnnotation("k")})`,
    message: "An annotation under signet.dev/ is Signet's stamp; take it out of the manifest.",
  },
];

/** Where no webhook looks, nothing is born with a stamp. */
const birthsInExemptNamespaces = (): readonly Manifest[] =>
  validating({
    name: "births-exempt",
    rules: BORN,
    namespaces: { operator: "In", names: [...EXEMPT_NAMESPACES].sort() },
    conditions: [NOT_SIGNET],
    checks: unborn,
  });

/** A kubelet creates mirror Pods, with whatever labels a file on its node says; webhooks leave them alone. */
const mirrorPods = (): readonly Manifest[] =>
  validating({
    name: "births-mirror",
    rules: [{ group: "", operations: ["CREATE"], resources: ["pods"] }],
    conditions: [{ name: "by-a-node", expression: FROM_NODE }],
    checks: unborn,
  });

const machineTemplate = (object: string): string =>
  `(${object}.?spec.virtualMachineTemplate.hasValue() ? ${object}.spec.virtualMachineTemplate : ${object}).?spec.template`;

const copied = (map: "labels" | "annotations"): string => `${machineTemplate("object")}.metadata.${map}.orValue({})`;

/**
 * What a machine's template says is copied by KubeVirt onto the instance and its launchers, whose creation never waits for
 * Signet. So nothing gets into a template that would be born as a stamp while the webhooks are down.
 */
const machineTemplates = (): readonly Manifest[] =>
  validating({
    name: "machine-templates",
    rules: [
      {
        group: KUBEVIRT,
        operations: ["CREATE", "UPDATE"],
        resources: ["virtualmachines", "virtualmachineinstancereplicasets"],
      },
      { group: "pool.kubevirt.io", operations: ["CREATE", "UPDATE"], resources: ["virtualmachinepools"] },
    ],
    conditions: [
      {
        name: "template-changed",
        expression: `oldObject == null || ${machineTemplate("object")} != ${machineTemplate("oldObject")}`,
      },
    ],
    checks: [
      {
        expression: `!${copied("labels")}.exists(k, ${reservedLabel("k")})`,
        message:
          "A label under signet.dev/ or role.signet.dev/ in a machine's template is Signet's to give; take it out.",
      },
      {
        expression: `!${copied("annotations")}.exists(k, ${reservedAnnotation("k")})`,
        message: "An annotation under signet.dev/ in a machine's template is Signet's to give; take it out.",
      },
    ],
  });

const IDENTITY_VOLUMES =
  "object.spec.?volumes.orValue([]).filter(v, v.?projected.sources.orValue([]).exists(s, " +
  `s.?podCertificate.signerName.orValue('') == ${quoted(SIGNER_NAME)} || ` +
  `s.?serviceAccountToken.audience.orValue('') == ${quoted(TOKEN_AUDIENCE)})).map(v, v.name)`;

/** An ephemeral container that mounts such a volume reads the private key, or a token that buys a certificate for its own. */
const ephemeralContainers = (): readonly Manifest[] =>
  validating({
    name: "ephemeral-containers",
    rules: [{ group: "", operations: ["UPDATE"], resources: ["pods/ephemeralcontainers"] }],
    variables: [{ name: "identity", expression: IDENTITY_VOLUMES }],
    checks: [
      {
        expression:
          "object.spec.?ephemeralContainers.orValue([]).all(c, " +
          "!c.?volumeMounts.orValue([]).exists(m, m.name in variables.identity))",
        message: "An ephemeral container may not mount the volume with the workload's private key or its token.",
      },
    ],
  });

const label = (of: string, key: string): string => `${of}.metadata.?labels[${quoted(key)}].orValue('')`;
const oldLabel = (key: string): string => `oldObject == null ? '' : ${label("oldObject", key)}`;

const changed = (name: string): string => `variables.${name} != variables.old${name}`;

/**
 * Who belongs to a segment, and who is judged at all, is said by two labels of a namespace. They can be changed on the
 * namespace, its status and its finalizers. Whoever does needs the verb `enrol` on the old and the new segment; where
 * neither is named, on the namespace.
 */
const namespaceLabels = (): readonly Manifest[] =>
  validating({
    name: "namespaces",
    rules: [
      {
        group: "",
        operations: ["CREATE", "UPDATE"],
        resources: ["namespaces", "namespaces/status", "namespaces/finalize"],
      },
    ],
    variables: [
      { name: "Enrol", expression: label("object", ENROL_LABEL) },
      { name: "oldEnrol", expression: oldLabel(ENROL_LABEL) },
      { name: "Segment", expression: label("object", SEGMENT_LABEL) },
      { name: "oldSegment", expression: oldLabel(SEGMENT_LABEL) },
      { name: "changed", expression: `${changed("Enrol")} || ${changed("Segment")}` },
      { name: "segments", expression: "[variables.oldSegment, variables.Segment].filter(s, s != '')" },
    ],
    checks: [
      {
        expression: `!variables.changed || variables.segments.all(s, ${allowed("enrol", "'segments'", "s")})`,
        message: "Changing signet.dev/enrol or signet.dev/segment needs the verb enrol on the old and the new segment.",
      },
      {
        expression: `!variables.changed || variables.segments.size() > 0 || ${allowed("enrol", "'namespaces'", "object.metadata.name")}`,
        message: "Changing signet.dev/enrol without a segment needs the verb enrol on namespaces in signet.dev.",
      },
      {
        expression: `!(${changed("Enrol")}) || variables.Enrol in ['', 'true', 'false']`,
        message: 'The label signet.dev/enrol is "true", "false", or not there.',
      },
    ],
  });

const OUR_SIGNER: Named = {
  name: "our-signer",
  expression: `object.?spec.signerName.orValue('') == ${quoted(SIGNER_NAME)}`,
};
const CERTIFICATES = "certificates.k8s.io";

/** The API server checks what a request says of its Pod only where a node asks; so only nodes may ask. */
const certificateRequests = (): readonly Manifest[] =>
  validating({
    name: "certificate-requests",
    rules: [{ group: CERTIFICATES, operations: ["CREATE"], resources: ["podcertificaterequests"] }],
    conditions: [OUR_SIGNER],
    checks: [
      {
        expression: `${FROM_NODE} && request.userInfo.username.startsWith('system:node:')`,
        message: `Only a node asks ${SIGNER_NAME} for the certificate of a Pod.`,
      },
    ],
  });

/** What is written into the status of such a request becomes a workload's certificate. */
const certificateAnswers = (): readonly Manifest[] =>
  validating({
    name: "certificate-answers",
    rules: [{ group: CERTIFICATES, operations: ["UPDATE"], resources: ["podcertificaterequests/status"] }],
    conditions: [OUR_SIGNER],
    checks: [{ expression: FROM_SIGNET, message: `Only Signet answers requests for ${SIGNER_NAME}.` }],
  });

const BUNDLE = "(object != null ? object : oldObject).metadata.name";

/** Rights on bundles know no pattern of names: Signet's account may write and delete those of its own signers and no other. */
const trustBundles = (): readonly Manifest[] =>
  validating({
    name: "trust-bundles",
    rules: [{ group: CERTIFICATES, operations: ["CREATE", "UPDATE", "DELETE"], resources: ["clustertrustbundles"] }],
    conditions: [{ name: "by-signet", expression: FROM_SIGNET }],
    checks: [
      {
        expression: `(request.operation != 'DELETE' && ${BUNDLE} == ${quoted(TRUST_BUNDLE)}) || ${BUNDLE}.startsWith(${quoted(FOREIGN_BUNDLES)})`,
        message: "Signet writes its own bundle and those of federated domains, and deletes none but the latter.",
      },
    ],
  });

/** The guards of stamps, namespaces and certificates, each with its binding. */
export const guards = (): readonly Manifest[] => [
  ...stamps(),
  ...birthsInExemptNamespaces(),
  ...mirrorPods(),
  ...machineTemplates(),
  ...ephemeralContainers(),
  ...namespaceLabels(),
  ...certificateRequests(),
  ...certificateAnswers(),
  ...trustBundles(),
];

import { EXEMPT_NAMESPACES, SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { ENROL_LABEL, SEGMENT_LABEL } from "../../domain/reserved-keys.ts";
import { type Manifest, manifest } from "./manifest.ts";
import {
  byVirtController,
  CARRIES_RESERVED_KEY,
  MACHINE_CHANGE,
  type MatchCondition,
  NO_COPIED_TEMPLATE,
  NO_MIRROR_POD,
  NO_PLAIN_MIRROR_POD,
  NOT_BEING_DELETED,
  SELF_TEST_ONLY,
  notByVirtController,
  POD_CHANGE,
  TEMPLATE_CHANGE,
} from "./match-conditions.ts";
import { NAME, SELF_TEST_ENTRY } from "./names.ts";
import {
  LAUNCHED,
  MACHINES,
  POD_CREATION,
  PODS,
  SELF_TESTED,
  STAMPED,
  TEMPLATES,
  type WebhookRule,
} from "./webhook-rules.ts";

/** What differs between installations. */
export type WebhookSettings = {
  /** How the API server finds Signet: through its Service, or at a URL such as https://127.0.0.1:8443. */
  readonly reach: { readonly by: "service" } | { readonly by: "url"; readonly url: string };
  /** User names of KubeVirt's virt-controller. */
  readonly virtControllers: readonly string[];
};

type Requirement = { readonly key: string; readonly operator: string; readonly values?: readonly string[] };

/** One entry of a webhook configuration, as far as entries differ. */
type Entry = {
  readonly name: string;
  readonly failurePolicy: "Fail" | "Ignore";
  readonly rules: readonly WebhookRule[];
  /** Beside not being exempt, unless the entry is about Signet's own namespace. */
  readonly namespaces: readonly Requirement[];
  readonly conditions: readonly MatchCondition[];
};

const ENROLLED: Requirement = { key: ENROL_LABEL, operator: "In", values: ["true"] };
const NOT_ENROLLED: Requirement = { key: ENROL_LABEL, operator: "NotIn", values: ["true"] };
const GRANTED: Requirement = { key: SEGMENT_LABEL, operator: "Exists" };

/** By name, which is the one label of a namespace that nobody can forge. First in each selector: components add to it. */
const NOT_EXEMPT: Requirement = {
  key: "kubernetes.io/metadata.name",
  operator: "NotIn",
  values: [...EXEMPT_NAMESPACES],
};

const OURS: Requirement = { key: "kubernetes.io/metadata.name", operator: "In", values: [SIGNET_NAMESPACE] };

/** By which Signet sees, without changing anything, whether the API server reaches it and trusts its certificate. */
const selfTest = (webhook: "mutate" | "validate"): Entry => ({
  name: `${webhook}.${SELF_TEST_ENTRY}`,
  failurePolicy: "Fail",
  rules: SELF_TESTED,
  namespaces: [OURS],
  conditions: [SELF_TEST_ONLY],
});

/** The entries that stamp. They fail open: what is not stamped in an enrolled namespace is refused at validation. */
const mutating = (): readonly Entry[] => [
  {
    name: "pods.stamp.signet.dev",
    failurePolicy: "Ignore",
    rules: POD_CREATION,
    namespaces: [],
    conditions: [NO_MIRROR_POD],
  },
  {
    name: "machines.stamp.signet.dev",
    failurePolicy: "Ignore",
    rules: MACHINES,
    namespaces: [],
    conditions: [NOT_BEING_DELETED, MACHINE_CHANGE],
  },
];

/** The entries that judge; each request meets at most one of those that fail closed. */
function validating(virtControllers: readonly string[]): readonly Entry[] {
  const notLaunching = notByVirtController(virtControllers);
  return [
    {
      name: "pods.enrolled.signet.dev",
      failurePolicy: "Fail",
      rules: PODS,
      namespaces: [ENROLLED],
      conditions: [NOT_BEING_DELETED, notLaunching, NO_PLAIN_MIRROR_POD, POD_CHANGE],
    },
    {
      name: "machines.enrolled.signet.dev",
      failurePolicy: "Fail",
      rules: MACHINES,
      namespaces: [ENROLLED],
      conditions: [NOT_BEING_DELETED, notLaunching, MACHINE_CHANGE],
    },
    {
      name: "templates.enrolled.signet.dev",
      failurePolicy: "Fail",
      rules: TEMPLATES,
      namespaces: [ENROLLED],
      conditions: [NOT_BEING_DELETED, NO_COPIED_TEMPLATE, TEMPLATE_CHANGE],
    },
    {
      name: "stamped.signet.dev",
      failurePolicy: "Fail",
      rules: STAMPED,
      namespaces: [NOT_ENROLLED],
      conditions: [notLaunching, CARRIES_RESERVED_KEY],
    },
    ...failingOpen(virtControllers),
  ];
}

const failingOpen = (virtControllers: readonly string[]): readonly Entry[] => [
  {
    name: "launchers.signet.dev",
    failurePolicy: "Ignore",
    // Where nobody launches, it is asked about nothing, and its conditions cost nothing.
    rules: virtControllers.length === 0 ? [] : LAUNCHED,
    namespaces: [],
    conditions: [NOT_BEING_DELETED, byVirtController(virtControllers), MACHINE_CHANGE],
  },
  {
    name: "templates.granted.signet.dev",
    failurePolicy: "Ignore",
    rules: TEMPLATES,
    namespaces: [GRANTED, NOT_ENROLLED],
    conditions: [NOT_BEING_DELETED, NO_COPIED_TEMPLATE, TEMPLATE_CHANGE],
  },
];

/** Seconds that a Pod's creation may wait: short where it goes on without us, longer where it would be refused. */
const TIMEOUTS = { Ignore: 2, Fail: 3 } as const;

function webhookOf(entry: Entry, path: string, { reach }: WebhookSettings): object {
  const service = { name: NAME, namespace: SIGNET_NAMESPACE, path, port: 443 };
  return {
    name: entry.name,
    admissionReviewVersions: ["v1"],
    clientConfig: reach.by === "service" ? { service } : { url: `${reach.url}${path}` },
    failurePolicy: entry.failurePolicy,
    matchPolicy: "Equivalent",
    sideEffects: "None",
    timeoutSeconds: TIMEOUTS[entry.failurePolicy],
    namespaceSelector: {
      matchExpressions: entry.namespaces.includes(OURS) ? [OURS] : [NOT_EXEMPT, ...entry.namespaces],
    },
    ...(entry.rules.length === 0 ? {} : { rules: entry.rules }),
    matchConditions: entry.conditions,
  };
}

const API_VERSION = "admissionregistration.k8s.io/v1";

/** AKS would otherwise add selectors of its own to every webhook, and two writers would fight over them. */
const METADATA = { name: NAME, annotations: { "admissions.enforcer/disabled": "true" } };

/**
 * The two webhook configurations. `caBundle` is left out: Signet writes it at run time, and what is not in a manifest no tool
 * takes away again.
 */
export function webhookConfigurations(settings: WebhookSettings): readonly Manifest[] {
  const stamping = [...mutating(), selfTest("mutate")].map((entry) => ({
    ...webhookOf(entry, "/mutate", settings),
    reinvocationPolicy: "IfNeeded",
  }));
  const judging = [...validating(settings.virtControllers), selfTest("validate")].map((entry) =>
    webhookOf(entry, "/validate", settings),
  );
  return [
    manifest([API_VERSION, "MutatingWebhookConfiguration"], METADATA, { webhooks: stamping }),
    manifest([API_VERSION, "ValidatingWebhookConfiguration"], METADATA, { webhooks: judging }),
  ];
}

/** One operation of a JSON patch. */
type Operation = { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown };

/** What exempts one more namespace by name from every entry; one patch for each configuration. */
export const exemptingPatches = (namespace: string): readonly (readonly Operation[])[] =>
  [mutating(), validating([])].map((entries) =>
    entries.map((_, index) => ({
      op: "add" as const,
      path: `/webhooks/${index}/namespaceSelector/matchExpressions/0/values/-`,
      value: namespace,
    })),
  );

/** What names virt-controllers in the validating configuration, and has what they launch judged. */
export const virtControllerPatch = (users: readonly string[]): readonly Operation[] => {
  const unnamed = validating([]);
  return validating(users).flatMap(({ rules, conditions }, entry): readonly Operation[] => [
    ...(unnamed[entry]?.rules === rules
      ? []
      : [{ op: "add" as const, path: `/webhooks/${entry}/rules`, value: rules }]),
    ...conditions.flatMap((condition, index) =>
      condition.name.endsWith("by-virt-controller")
        ? [{ op: "replace" as const, path: `/webhooks/${entry}/matchConditions/${index}`, value: condition }]
        : [],
    ),
  ]);
};

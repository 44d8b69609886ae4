import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { type Manifest, manifest } from "./manifest.ts";
import { NAME } from "./names.ts";
import { type Entry, mutating, NOT_EXEMPT, OURS, selfTest, validating } from "./webhook-entries.ts";

/** What differs between installations. */
export type WebhookSettings = {
  /** How the API server finds Signet: through its Service, or at a URL such as https://127.0.0.1:8443. */
  readonly reach: { readonly by: "service" } | { readonly by: "url"; readonly url: string };
  /** User names of KubeVirt's virt-controller. */
  readonly virtControllers: readonly string[];
};

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
    ...(entry.objects ? { objectSelector: { matchExpressions: entry.objects } } : {}),
    ...(entry.rules.length === 0 ? {} : { rules: entry.rules }),
    ...(entry.conditions.length === 0 ? {} : { matchConditions: entry.conditions }),
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
  return validating(users).flatMap(({ rules, conditions }, entry): readonly Operation[] => {
    const [before, path] = [unnamed[entry], `/webhooks/${entry}`];
    const named = conditions.flatMap((condition, index): readonly Operation[] =>
      condition.name.endsWith("by-virt-controller")
        ? [{ op: "replace", path: `${path}/matchConditions/${index}`, value: condition }]
        : [],
    );
    return [
      ...(before?.rules.length === 0 ? [{ op: "add" as const, path: `${path}/rules`, value: rules }] : []),
      ...(before?.conditions.length === 0
        ? [{ op: "add" as const, path: `${path}/matchConditions`, value: conditions }]
        : named),
    ];
  });
};

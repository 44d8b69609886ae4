import { expect, test } from "vitest";
import { answerReview } from "../../src/http/answer-review.ts";
import type { Machines } from "../../src/http/services.ts";
import { liveObject } from "../../src/kube/live-object.ts";
import { readVerdictRecord, renderVerdictRecord } from "../../src/wire/verdict-record.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { catalogueOf, must } from "../fakes/judging.ts";
import { fakeServices, pod, review } from "../fakes/web.ts";

type Raw = Readonly<Record<string, unknown>>;

const VIRT_CONTROLLER = "system:serviceaccount:kubevirt:kubevirt-controller";
const CATALOGUE = catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [shop], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: vm}, spec: {segment: shop, match: {serviceAccounts: [vm], kinds: [Pod, VirtualMachine]}, permits: [hostIPC]}}
`);

const MACHINE = must(
  readWorkload(
    liveObject({
      apiVersion: "kubevirt.io/v1",
      kind: "VirtualMachineInstance",
      metadata: { name: "vm", namespace: "shop", uid: "vmi-1" },
      spec: { serviceAccountName: "vm" },
    }),
    { namespace: "shop" },
  ),
);

/** A cluster with one instance, whose launcher is `pod-1`. */
const machines: Machines = {
  virtControllers: new Set([VIRT_CONTROLLER]),
  find: (_namespace, { uid }) => (uid === "vmi-1" ? MACHINE : undefined),
  launches: (machine, launcher) => machine === "vmi-1" && launcher === "pod-1",
  look: async () => ({ machine: "none", launchers: [] }),
};

const owned = (uid: string) => [{ kind: "VirtualMachineInstance", name: "vm", uid, controller: true }];
const debug = (securityContext: Raw) => ({ ephemeralContainers: [{ name: "debug", image: "a/b", securityContext }] });
const running = (metadata: Raw, spec: Raw = {}) =>
  pod({ name: "p", ...metadata }, { serviceAccountName: "vm", ...spec });

/** The codes by which a change of a running Pod is refused, or `admitted`; what the ledger holds says the same. */
async function changed(before: Raw, now: Raw, username = "mallory", known = machines): Promise<string> {
  const services = fakeServices({ machines: known });
  const body = review({ operation: "UPDATE", object: now, oldObject: before, userInfo: { username } });
  const given = await answerReview("validate", JSON.stringify(body), CATALOGUE, services);
  if (!given.ok) return given.problems.map(({ code, message }) => `${code} ${message}`).join();
  const answered = given.value;
  const [judged] = services.recorded;
  if (!judged) return "not judged";
  const summary = { allowed: true, decision: "", approval: "", enrolled: true, codes: [] };
  const record = { webhook: "validate", catalogue: "", requireApproval: false, verdict: summary } as const;
  const kept = must(readVerdictRecord(renderVerdictRecord({ ...record, request: judged.request })));
  expect(kept.request.launching).toEqual(withoutSource(judged.request.launching));
  return answered.outcome === "deny" ? answered.codes.join(" ") : "admitted";
}

const withoutSource = (launching: object | undefined) => {
  if (launching === undefined || !("machine" in launching) || typeof launching.machine === "string") return launching;
  const { source: _, ...machine } = launching.machine as { readonly source?: unknown };
  return { ...launching, machine };
};

const PRIVILEGED = debug({ privileged: true });
const LAUNCHER = { uid: "pod-1", ownerReferences: owned("vmi-1") };
const NETWORKS = { annotations: { "k8s.v1.cni.cncf.io/networks": "lan" } };
const DEFAULT = { annotations: { "v1.multus-cni.io/default-network": "lan" } };

type Row = readonly [what: string, before: Raw, now: Raw, expected: string, user?: string];

const ROWS: readonly Row[] = [
  ["privileged into a Pod", running({}), running({}, PRIVILEGED), "PRIVILEGED"],
  [
    "privileged into a Pod that took the reference to an instance",
    running({ uid: "pod-9", ownerReferences: owned("vmi-1") }),
    running({ uid: "pod-9", ownerReferences: owned("vmi-1") }, PRIVILEGED),
    "LAUNCHER_FORGED PRIVILEGED",
  ],
  [
    "privileged into one whose instance nobody knows",
    running({ uid: "pod-9", ownerReferences: owned("vmi-9") }),
    running({ uid: "pod-9", ownerReferences: owned("vmi-9") }, PRIVILEGED),
    "LAUNCHER_FORGED PRIVILEGED",
  ],
  ["privileged into a launcher", running(LAUNCHER), running(LAUNCHER, PRIVILEGED), "PRIVILEGED"],
  [
    "privileged into a launcher whose instance went, by KubeVirt's account",
    running({ uid: "pod-1", ownerReferences: owned("vmi-9") }),
    running({ uid: "pod-1", ownerReferences: owned("vmi-9") }, PRIVILEGED),
    "admitted",
    VIRT_CONTROLLER,
  ],
  ["a plain container into a launcher", running(LAUNCHER), running(LAUNCHER, debug({})), "admitted"],
  ["a network into a Pod", running({}), running(NETWORKS), "UNCOVERED_INTERFACE"],
  ["another network instead of the cluster's", running({}), running(DEFAULT), "UNCOVERED_INTERFACE"],
  ["a network into a launcher", running(LAUNCHER), running({ ...LAUNCHER, ...NETWORKS }), "UNCOVERED_INTERFACE"],
  [
    "another network into a launcher",
    running({ ...LAUNCHER, annotations: { "k8s.v1.cni.cncf.io/networks": "first" } }),
    running({ ...LAUNCHER, ...NETWORKS }),
    "UNCOVERED_INTERFACE",
  ],
  [
    "a network into a launcher by KubeVirt, which judged the instance",
    running(LAUNCHER),
    running({ ...LAUNCHER, ...NETWORKS }),
    "admitted",
    VIRT_CONTROLLER,
  ],
  [
    "a label on a launcher that was wired before",
    running({ ...LAUNCHER, ...NETWORKS }),
    running({ ...LAUNCHER, ...NETWORKS, labels: { team: "b" } }),
    "admitted",
  ],
];

test.each(ROWS.map((row) => [row[0], row] as const))("%s", async (_what, [, before, now, expected, user]) => {
  expect(await changed(before, now, user)).toBe(expected);
});

/** A watch that has brought nothing yet, or an instance without its launcher, and what the API server answers. */
const behind = (found: ReturnType<Machines["look"]>, instance = MACHINE): Machines => ({
  ...machines,
  find: () => instance,
  launches: () => false,
  look: () => found,
});

test.each<readonly [what: string, known: Machines, expected: string]>([
  [
    "has brought no instance",
    behind(Promise.resolve({ machine: MACHINE ?? "none", launchers: ["pod-1"] }), undefined),
    "admitted",
  ],
  [
    "has not brought the launcher",
    behind(Promise.resolve({ machine: MACHINE ?? "none", launchers: ["pod-1"] })),
    "admitted",
  ],
  [
    "is not behind: another Pod launches it",
    behind(Promise.resolve({ machine: MACHINE ?? "none", launchers: ["pod-2"] })),
    "LAUNCHER_FORGED",
  ],
  [
    "is not behind: there is no such instance",
    behind(Promise.resolve({ machine: "none", launchers: [] })),
    "LAUNCHER_FORGED",
  ],
  [
    "has brought nothing, and nobody answers",
    behind(Promise.resolve({ machine: "unknown", launchers: [] })),
    "NOT_READY The instance that the Pod launches could not be read from the API server in time.",
  ],
])("a label on a launcher where the watch %s", async (_what, known, expected) => {
  expect(await changed(running(LAUNCHER), running({ ...LAUNCHER, labels: { team: "b" } }), "mallory", known)).toBe(
    expected,
  );
});

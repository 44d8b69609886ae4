import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { review } from "../../src/admission/review.ts";
import type { Catalogue } from "../../src/domain/catalogue.ts";
import type { PatchOperation } from "../../src/domain/json-patch.ts";
import { asCreated } from "../../src/reconcile/pods/created-by.ts";
import { decideEnded } from "../../src/reconcile/pods/ended-exceptions.ts";
import { countMissed, decideMissed } from "../../src/reconcile/pods/missed.ts";
import type { PodSeen } from "../../src/reconcile/pods/seen.ts";
import { objectKey } from "../../src/wire/definitions/approvable.ts";
import { type KubeObject, readApiObject } from "../../src/wire/objects.ts";
import { metadataPresence } from "../../src/wire/presence.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { catalogueOf, must, NOON } from "../fakes/judging.ts";

/** A definition as a server holds it, its newest generation approved. */
const inForce = (kind: string, name: string, generation: number, spec: string) =>
  `{apiVersion: signet.dev/v1alpha1, kind: ${kind}, metadata: {name: ${name}, uid: u-${name}, generation: ${generation}}, spec: {${spec}}, status: {approvals: [], approved: {generation: ${generation}, by: [bob], at: "2026-11-01T00:00:00Z", spec: {${spec}}}}}`;

type Given = { shop?: string; front?: string; generation?: number; more?: string };
const catalogue = ({ shop = "environment: prod", front = "", generation = 3, more = "" }: Given = {}): Catalogue =>
  catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {signet.dev/enrol: "true"}}}
---
${inForce("Segment", "shop", 2, `namespaces: [web, free], mode: enforce, ${shop}`)}
---
${inForce("WorkloadRole", "front", generation, `segment: shop, match: {serviceAccounts: [front]}, labels: {tier: web}, ${front}`)}
---
${inForce("WorkloadRole", "cart", 1, "segment: shop, match: {serviceAccounts: [cart]}")}
---
${inForce("WorkloadRole", "built", 1, "segment: shop, match: {serviceAccounts: [built], createdBy: [builder]}")}
---
${inForce("SegmentException", "ex", 1, `permit: {check: hostNetwork}, workloads: {role: front}, reason: r, expires: "2026-12-01T00:00:00Z"`).replace("{name: ex", "{namespace: web, name: ex")}
${more}
`);

const LABELS = {
  "signet.dev/role": "front",
  "signet.dev/segment": "shop",
  "signet.dev/environment": "prod",
  "role.signet.dev/tier": "web",
};
const stampOf = (generation: number, role = "front") =>
  JSON.stringify({
    role: { name: role, uid: `u-${role}`, generation },
    segment: { name: "shop", uid: "u-shop", generation: 2 },
  });
const ANNOTATIONS = {
  "signet.dev/spiffe-id": "spiffe://example.org/ns/web/sa/front",
  "signet.dev/stamp": stampOf(3),
};

type Texts = Record<string, string>;
type PodGiven = {
  name?: string;
  namespace?: string;
  account?: string;
  labels?: Texts;
  annotations?: Texts;
  spec?: object;
  phase?: string;
  deleted?: boolean;
};
const podOf = (given: PodGiven = {}): KubeObject => {
  const { name = "p", namespace = "web", account = "front", labels, annotations, spec, phase = "Running" } = given;
  return must(
    readApiObject(
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          name,
          namespace,
          uid: `uid-${name}`,
          resourceVersion: "7",
          ...(labels ? { labels } : {}),
          ...(annotations ? { annotations } : {}),
          ...(given.deleted ? { deletionTimestamp: "2026-11-23T12:00:00Z" } : {}),
        },
        spec: { serviceAccountName: account, containers: [{ name: "c" }], ...spec },
        status: { phase },
      },
      "server",
    ),
  );
};

/** What the loop hands to the decider. */
function seen(from: Catalogue, object: KubeObject, now = NOON): PodSeen {
  const read = must(readWorkload(object, { namespace: object.namespace }));
  if (!read) throw new Error("a Pod is a workload");
  const workload = asCreated(from, read);
  const presence = metadataPresence(object.raw);
  const { phase } = object.raw["status"] as { phase: string };
  const deleting = Object.hasOwn(object.raw["metadata"] as object, "deletionTimestamp");
  const { verdict } = review(from, workload, presence, { now });
  return { object: objectKey(object, object.namespace), workload, presence, phase, deleting, judgement: verdict };
}

const decided = (given: PodGiven, from = catalogue()) => {
  const actions = decideMissed([seen(from, podOf(given))]);
  return [...actions.map(({ do: what, code, why }) => `${what} ${code}: ${why}`), countMissed(actions)];
};

const STAMPED = { labels: LABELS, annotations: ANNOTATIONS };

const ROWS: readonly { name: string; pod: PodGiven; from?: Given; expected: readonly (string | number)[] }[] = [
  { name: "a stamped Pod is nobody's concern", pod: STAMPED, expected: [0] },
  {
    name: "a Pod that admission missed is stamped",
    pod: {},
    expected: ["stampPod STAMP_MISSING: Admission missed it; it holds role front.", 1],
  },
  {
    name: "in a namespace that is not enrolled too",
    pod: { namespace: "free" },
    expected: ["stampPod STAMP_MISSING: Admission missed it; it holds role front.", 1],
  },
  {
    name: "its certificate has to wait, and that is said",
    pod: {},
    from: { front: "identity: {delivery: podCertificate}" },
    expected: [
      "stampPod STAMP_MISSING: Admission missed it; it holds role front. Its certificate comes when it is created anew.",
      1,
    ],
  },
  {
    name: "one that admission would have refused is reported, with the refusal",
    pod: { spec: { hostNetwork: true } },
    expected: ["reportPod HOST_NETWORK: It uses the node's network, which role front does not permit.", 1],
  },
  {
    name: "one without a role in an enrolled namespace is reported",
    pod: { account: "stranger" },
    expected: ["reportPod ROLE_NONE: No role fits account web/stranger.", 1],
  },
  { name: "elsewhere a Pod without a role is nobody's concern", pod: { namespace: "other" }, expected: [0] },
  {
    name: "but one that carries a stamp is reported",
    pod: { namespace: "other", labels: { "signet.dev/segment": "shop" } },
    expected: ["reportPod ROLE_NONE: No role fits account other/front.", 1],
  },
  {
    name: "a stamp of another role is reported, never mended",
    pod: { account: "cart", ...STAMPED },
    expected: [
      'reportPod ROLE_CHANGED: Its signet.dev/role is "front", but what fits it now is role cart of shop. Create it anew.',
      1,
    ],
  },
  {
    name: "a label that was taken away is put back",
    pod: { labels: { "signet.dev/role": "front" }, annotations: ANNOTATIONS },
    expected: ["stampPod STAMP_MISSING: Its stamp is not the one that follows from role front.", 1],
  },
  {
    name: "a stamp of an older generation that is right in everything else stays",
    pod: STAMPED,
    from: { generation: 4 },
    expected: [0],
  },
  {
    name: "labels that an edit changed reach a Pod that runs, and it was not missed",
    pod: STAMPED,
    from: { generation: 4, shop: "environment: test" },
    expected: ["stampPod STAMP_OVERWRITTEN: Its role or segment was edited since it was stamped.", 0],
  },
  {
    name: "a stamp newer than the snapshot waits for a newer snapshot",
    pod: {
      labels: { ...LABELS, "signet.dev/environment": "new" },
      annotations: { ...ANNOTATIONS, "signet.dev/stamp": stampOf(9) },
    },
    expected: [0],
  },
  {
    name: "an unreadable stamp is written anew",
    pod: { labels: LABELS, annotations: { ...ANNOTATIONS, "signet.dev/stamp": "{" } },
    expected: ["stampPod STAMP_MISSING: Its stamp is not the one that follows from role front.", 1],
  },
  {
    name: "a static Pod is reported",
    pod: { annotations: { "kubernetes.io/config.mirror": "x" } },
    expected: [
      "reportPod STAMP_MISSING: It is a static Pod: only its mirror can be stamped, and kubelet writes that.",
      1,
    ],
  },
  { name: "a Pod that has ended is nobody's concern", pod: { phase: "Succeeded" }, expected: [0] },
  { name: "nor one that is being deleted", pod: { deleted: true }, expected: [0] },
  { name: "cluster parts are nobody's concern", pod: { namespace: "kube-system" }, expected: [0] },
  {
    name: "a role that asks for its creator keeps the Pods that admission gave it",
    pod: {
      account: "built",
      labels: { "signet.dev/role": "built", "signet.dev/segment": "shop", "signet.dev/environment": "prod" },
      annotations: {
        "signet.dev/spiffe-id": "spiffe://example.org/ns/web/sa/built",
        "signet.dev/stamp": stampOf(1, "built"),
      },
    },
    expected: [0],
  },
  {
    name: "and takes none that admission missed: who created it is not known",
    pod: { account: "built" },
    expected: [
      "reportPod ROLE_NONE: No role fits this Pod of account web/built: role built does not, who creates the workload is not known, and the role asks for it.",
      1,
    ],
  },
];

for (const { name, pod, from, expected } of ROWS)
  test(name, () => expect(decided(pod, catalogue(from))).toEqual(expected));

test("a stamp is written only where the Pod is still as it was seen", () => {
  const [action] = decideMissed([seen(catalogue(), podOf())]);
  expect(action).toMatchObject({
    object: { kind: "Pod", namespace: "web", name: "p", uid: "uid-p", resourceVersion: "7" },
    patch: [
      { op: "test", path: "/metadata/resourceVersion", value: "7" },
      { path: "/metadata/labels" },
      { path: "/metadata/annotations" },
    ],
  });
});

const anyPod: fc.Arbitrary<PodGiven> = fc.record(
  {
    account: fc.constantFrom("front", "cart", "built", "stranger"),
    namespace: fc.constantFrom("web", "free", "other"),
    labels: fc.dictionary(
      fc.constantFrom("signet.dev/role", "signet.dev/segment", "role.signet.dev/tier", "app"),
      fc.constantFrom("front", "cart", "shop", "web"),
    ),
    annotations: fc.dictionary(
      fc.constantFrom("signet.dev/spiffe-id", "signet.dev/stamp", "note"),
      fc.constantFrom(stampOf(1), stampOf(3), stampOf(1, "cart"), "spiffe://example.org/ns/web/sa/front"),
    ),
  },
  { requiredKeys: ["account", "namespace"] },
);

/** Once performed, a stamping is done for good; and what carried another role before still carries it. */
const comesToRest = (perform: (pod: KubeObject, patch: readonly PatchOperation[]) => KubeObject) =>
  fc.property(anyPod, (given) => {
    const from = catalogue();
    const before = podOf(given);
    const [action] = decideMissed([seen(from, before)]);
    if (action?.do !== "stampPod") return;
    const after = perform(before, action.patch);
    expect(decideMissed([seen(from, after)])).toEqual([]);
    const role = (given.labels ?? {})["signet.dev/role"];
    if (role !== undefined) expect(after.raw).toMatchObject({ metadata: { labels: { "signet.dev/role": role } } });
  });

const performed = (pod: KubeObject, patch: readonly PatchOperation[]): KubeObject =>
  must(readApiObject(applyPatch(pod.raw, patch), "server"));

test("a Pod that was stamped needs no more, and none is given another role", () => {
  fc.assert(comesToRest(performed), { numRuns: 500 });
});

test("the property bites: a stamping that forgets the last key is found", () => {
  const forgetful = (pod: KubeObject, patch: readonly PatchOperation[]) => performed(pod, patch.slice(0, -1));
  expect(fc.check(comesToRest(forgetful), { numRuns: 5000, endOnFailure: true }).failed).toBe(true);
});

describe("an exception that has ended", () => {
  const pod: PodGiven = {
    ...STAMPED,
    annotations: { ...ANNOTATIONS, "signet.dev/exception": "ex" },
    spec: { hostNetwork: true },
  };
  const flagged = (given: PodGiven, now: number, from = catalogue()) =>
    decideEnded([seen(from, podOf(given), now)]).map(({ exception, code, why }) => [exception, code, why]);
  const AFTER = Date.parse("2026-12-01T00:00:00Z");
  const WHY = 'Exception "ex" ended at 2026-12-01T00:00:00Z. Its next start will be refused.';

  test("counts until its last moment", () => expect(flagged(pod, AFTER - 1)).toEqual([]));
  test("flags what runs only because of it, and nothing else happens", () => {
    expect(flagged(pod, AFTER)).toEqual([["ex", "EXCEPTION_EXPIRED", WHY]]);
    expect(decideMissed([seen(catalogue(), podOf(pod), AFTER)])).toEqual([]);
  });
  test("is no matter where the role has come to permit it", () => {
    expect(flagged(pod, AFTER, catalogue({ front: "permits: [hostNetwork]" }))).toEqual([]);
  });
  test("is no matter where the segment only watches", () => {
    expect(flagged(pod, AFTER, catalogue({ shop: "environment: prod, intra: deny" }))).toHaveLength(1);
    expect(flagged({ ...pod, namespace: "free" }, AFTER)).toEqual([]);
  });
  test("may have been deleted", () => {
    const gone = { ...pod, annotations: { ...ANNOTATIONS, "signet.dev/exception": "gone" } };
    expect(flagged(gone, NOON)).toEqual([
      ["gone", "EXCEPTION_MISSING", 'There is no exception "gone" in namespace web. Its next start will be refused.'],
    ]);
  });
  test("is no matter for a Pod that has ended", () => expect(flagged({ ...pod, phase: "Failed" }, AFTER)).toEqual([]));
});

import { describe, expect, test } from "vitest";
import { type GateRequest, mutate, validate } from "../../src/admission/gate.ts";
import type { Json } from "../../src/domain/json-patch.ts";
import { type KubeObject, readApiObject } from "../../src/wire/objects.ts";
import { metadataPresence } from "../../src/wire/presence.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { readPodShape } from "../../src/wire/workloads/pod-shape.ts";
import { applyPatch } from "../fakes/json-patch.ts";
import { catalogueOf, must, NOON } from "../fakes/judging.ts";

const catalogue = (identity = "delivery: podCertificate", leaf = "maxTTL: 4h", classification = "") =>
  catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org, leaf: {${leaf}}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web, free], mode: enforce, ${classification}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}, identity: {${identity}}}}
`);

type Fields = { readonly [key: string]: Json };
const podOf = (spec: Fields = {}, metadata: Fields = {}): KubeObject =>
  must(
    readApiObject(
      {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "p", namespace: "web", ...metadata },
        spec: { serviceAccountName: "front", containers: [{ name: "c" }], ...spec },
      },
      "review",
    ),
  );

const ON = { now: NOON, deliver: { podCertificate: true } };
const OFF = { now: NOON };

function requestOf(pod: KubeObject, old?: KubeObject): GateRequest {
  const workload = (object: KubeObject) =>
    must(readWorkload(object, { namespace: object.namespace, creator: "alice" }));
  const now = workload(pod);
  const before = old && workload(old);
  return {
    uid: "u",
    operation: old ? "UPDATE" : "CREATE",
    subResource: "",
    dryRun: false,
    user: { username: "alice", groups: [] },
    presence: metadataPresence(pod.raw),
    deleting: false,
    relevantChange: true,
    readPod: () => readPodShape(pod),
    ...(now ? { workload: now } : {}),
    ...(before ? { oldWorkload: before } : {}),
  };
}

const admitted = (from = catalogue(), pod = podOf(), terms = ON): KubeObject =>
  must(readApiObject(applyPatch(pod.raw, mutate(from, requestOf(pod), terms).patch), "review"));
const volumesOf = (pod: KubeObject): readonly string[] =>
  (must(readPodShape(pod)).volumes ?? []).map(({ name }) => name);
const certificateOf = (pod: KubeObject): unknown => {
  const volume = must(readPodShape(pod)).volumes?.find(({ name }) => name === "signet-svid");
  return (volume?.raw as { projected: { sources: { podCertificate: unknown }[] } } | undefined)?.projected.sources[0]
    ?.podCertificate;
};
const codes = (from = catalogue(), request: GateRequest, terms: typeof ON | typeof OFF = ON) => {
  const { allowed, verdict } = validate(from, request, terms);
  return [allowed, ...(verdict?.problems.map(({ code }) => code) ?? [])];
};

test("a Pod of a role with podCertificate gets its stamp and its volumes, and validation lets it in", () => {
  const pod = admitted();
  expect(volumesOf(pod)).toEqual(["signet-svid", "signet-trust"]);
  expect(mutate(catalogue(), requestOf(pod), ON).patch).toEqual([]);
  expect(codes(catalogue(), requestOf(pod))).toEqual([true]);
});

test("while delivery is off nothing is added, and nobody reads the Pod's containers", () => {
  const request = { ...requestOf(podOf()), readPod: () => expect.unreachable("the Pod was read") };
  const answer = mutate(catalogue(), request, OFF);
  expect(answer.patch.map(({ path }) => path)).toEqual(["/metadata/labels", "/metadata/annotations"]);
});

test("a volume of our signer that the manifest brings while delivery is off is an escape", () => {
  expect(codes(catalogue(), requestOf(admitted()), OFF)).toEqual([false, "SIGNER_VOLUME"]);
});

test("so is one beside the delivered one", () => {
  const own = { podCertificate: { signerName: "signet.dev/svid", keyType: "ED25519", credentialBundlePath: "x" } };
  const pod = podOf({ volumes: [{ name: "own", projected: { sources: [own] } }] });
  expect(codes(catalogue(), requestOf(admitted(catalogue(), pod)))).toEqual([false, "SIGNER_VOLUME"]);
});

test("a running Pod with its certificate may be labelled, whatever its role says by now", () => {
  const pod = admitted();
  const metadata = { ...(pod.raw["metadata"] as Fields) };
  const labelled = must(
    readApiObject(
      { ...pod.raw, metadata: { ...metadata, labels: { ...(metadata["labels"] as Fields), note: "x" } } },
      "review",
    ),
  );
  for (const from of [catalogue(), catalogue("delivery: none")])
    for (const terms of [ON, OFF]) expect(codes(from, requestOf(labelled, pod), terms)).toEqual([true]);
});

test("what is in the way is refused where the segment is in force, and the Pod gets its stamp and no volumes", () => {
  const pod = podOf({ volumes: [{ name: "signet-svid", emptyDir: {} }] });
  const stamped = admitted(catalogue(), pod);
  expect([volumesOf(stamped), codes(catalogue(), requestOf(stamped))]).toEqual([
    ["signet-svid"],
    [false, "VOLUME_COLLISION"],
  ]);
});

test("elsewhere it is a warning, and the Pod gets its stamp and no volumes", () => {
  const pod = podOf({ volumes: [{ name: "signet-svid", emptyDir: {} }] }, { namespace: "free" });
  const stamped = admitted(catalogue(), pod);
  expect([volumesOf(stamped), codes(catalogue(), requestOf(stamped))]).toEqual([
    ["signet-svid"],
    [true, "VOLUME_COLLISION"],
  ]);
});

test("a Pod that cannot be read is refused, not guessed at", () => {
  const pod = podOf({ containers: [{ name: "c", env: "none" }] });
  expect(codes(catalogue(), requestOf(pod))).toEqual([false, "FIELD_INVALID", "STAMP_MISSING"]);
});

test("a launcher gets no certificate: it belongs to the guest", () => {
  const owner = { kind: "VirtualMachineInstance", name: "vm", uid: "u", controller: true };
  expect(volumesOf(admitted(catalogue(), podOf({}, { ownerReferences: [owner] })))).toEqual([]);
});

describe("the certificate that is asked for", () => {
  const ROWS: readonly { name: string; from: ReturnType<typeof catalogue>; expected: object | undefined }[] = [
    { name: "lasts as long as the trust domain allows", from: catalogue(), expected: { maxExpirationSeconds: 14400 } },
    {
      name: "no longer than its role says",
      from: catalogue("delivery: podCertificate, maxTTL: 2h"),
      expected: { maxExpirationSeconds: 7200 },
    },
    {
      name: "no longer than its segment's classification says",
      from: catalogue("delivery: podCertificate, maxTTL: 2h", "maxTTL: 4h", "classification: pci"),
      expected: { maxExpirationSeconds: 3600 },
    },
    {
      name: "and never under the hour that kubelet demands",
      from: catalogue("delivery: podCertificate, maxTTL: 10m"),
      expected: { maxExpirationSeconds: 3600 },
    },
    {
      name: "nor over 91 days",
      from: catalogue("delivery: podCertificate", "maxTTL: 9000h"),
      expected: { maxExpirationSeconds: 7862400 },
    },
    {
      name: "has the trust domain's key type",
      from: catalogue("delivery: podCertificate", "keyType: ECDSAP384"),
      expected: { keyType: "ECDSAP384" },
    },
    {
      name: "or its role's",
      from: catalogue("delivery: podCertificate, keyType: ED25519", "keyType: ECDSAP384"),
      expected: { keyType: "ED25519" },
    },
    { name: "is none where the role asks for none", from: catalogue("delivery: none"), expected: undefined },
    { name: "nor where a driver brings it", from: catalogue("delivery: csi"), expected: undefined },
  ];
  for (const { name, from, expected } of ROWS)
    test(name, () => {
      const found = certificateOf(admitted(from));
      if (expected === undefined) expect(found).toBeUndefined();
      else expect(found).toMatchObject(expected);
    });
});

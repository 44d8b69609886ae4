import { expect, test } from "vitest";
import { readApiObject } from "../../../src/wire/objects.ts";
import { metadataPresence } from "../../../src/wire/presence.ts";
import type { Raw } from "../../../src/wire/read-object.ts";
import { readWorkload } from "../../../src/wire/workloads.ts";
import { podEssence } from "../../../src/wire/workloads/pod-essence.ts";
import { must } from "../../fakes/judging.ts";

const container = (more: object = {}) => ({
  name: "main",
  image: "example.org/a-rather-long-image-name@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
  env: Array.from({ length: 20 }, (_, index) => ({ name: `VARIABLE_${index}`, value: `value ${index}` })),
  volumeMounts: [{ name: "kube-api-access", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" }],
  securityContext: { allowPrivilegeEscalation: false, privileged: false, capabilities: { drop: ["ALL"] } },
  ...more,
});

const podOf = (spec: object = {}, metadata: object = {}): Raw => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "web-1",
    namespace: "web",
    uid: "u1",
    resourceVersion: "7",
    labels: { app: "web", "signet.dev/role": "front" },
    annotations: { "example.org/note": "x".repeat(500), "signet.dev/stamp": "{}", "signet.dev/exception": "ex" },
    ownerReferences: [
      { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "r1", controller: true, blockOwnerDeletion: true },
    ],
    ...metadata,
  },
  spec: { serviceAccountName: "front", serviceAccount: "front", containers: [container()], ...spec },
  status: { phase: "Running", podIP: "10.0.0.1", conditions: [{ type: "Ready", status: "True" }] },
});

const certificate = { podCertificate: { signerName: "signet.dev/svid", keyType: "ED25519" } };
const PODS: Readonly<Record<string, Raw>> = {
  "an ordinary Pod": podOf(),
  "one on its host": podOf({ hostNetwork: true, hostPID: true, hostIPC: true }),
  "one with volumes of its host and certificates": podOf({
    volumes: [
      { name: "a", emptyDir: {} },
      { name: "b", hostPath: { path: "/run" } },
      { name: "c", projected: { sources: [{ configMap: { name: "x" } }, certificate] } },
    ],
  }),
  "one whose second container is privileged": podOf({
    containers: [container(), container({ securityContext: { privileged: true } })],
  }),
  "one with capabilities": podOf({
    initContainers: [container({ securityContext: { capabilities: { add: ["NET_ADMIN", "CHOWN"] } } })],
    ephemeralContainers: [container({ securityContext: { capabilities: { add: ["SYS_PTRACE"] } } })],
  }),
  "one of a Windows host": podOf({ securityContext: { windowsOptions: { hostProcess: true } } }),
  "one on more networks": podOf({}, { annotations: { "k8s.v1.cni.cncf.io/networks": "other" } }),
  "one without labels and annotations": podOf({}, { labels: undefined, annotations: undefined }),
  "a mirror of a static Pod": podOf({}, { annotations: { "kubernetes.io/config.mirror": "abc" } }),
};

const read = (raw: Raw) => {
  const { source: _, ...workload } = must(readWorkload(must(readApiObject(raw, "server")), { namespace: "web" })) ?? {};
  return { workload, presence: metadataPresence(raw) };
};

/** What of annotations only people read is no part of a verdict. */
const judged = ({ workload, presence }: ReturnType<typeof read>) => ({
  ...workload,
  annotations: undefined,
  ownAnnotations: undefined,
  presence,
});

test.each(Object.entries(PODS))("%s is read the same from its essence", (_name, pod) => {
  const essence = podEssence(JSON.parse(JSON.stringify(pod)) as Raw);
  expect(judged(read(essence))).toEqual(judged(read(JSON.parse(JSON.stringify(pod)) as Raw)));
  expect(podEssence(essence)).toEqual(essence);
});

test("the essence of a Pod is what a verdict reads, and no more", () => {
  expect(podEssence(podOf({ volumes: [{ name: "a" }, { name: "b", hostPath: { path: "/run" } }] }))).toEqual({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "web-1",
      namespace: "web",
      uid: "u1",
      resourceVersion: "7",
      labels: { app: "web", "signet.dev/role": "front" },
      annotations: { "signet.dev/stamp": "{}", "signet.dev/exception": "ex" },
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "r1", controller: true }],
    },
    spec: { serviceAccountName: "front", volumes: [{}, { hostPath: { path: "/run" } }] },
    status: { phase: "Running", podIPs: [{ ip: "10.0.0.1" }] },
  });
});

test("ports by name, sidecars and addresses stay in the essence: sentences may mean them", () => {
  const port = { name: "http", containerPort: 8080, protocol: "TCP", hostIP: "" };
  const pod = podOf({
    nodeName: "n1",
    containers: [container({ ports: [port] })],
    initContainers: [container({ restartPolicy: "Always", ports: [{ containerPort: 9090 }] })],
  });
  expect(podEssence(pod)).toMatchObject({
    spec: {
      nodeName: "n1",
      containers: [{ ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }] }],
      initContainers: [{ restartPolicy: "Always", ports: [{ containerPort: 9090 }] }],
    },
  });
});

test("the essence of a Pod is at most a fifth of it", () => {
  const pod = podOf({ containers: [container(), container()] });
  expect(JSON.stringify(podEssence(pod)).length * 5).toBeLessThan(JSON.stringify(pod).length);
});

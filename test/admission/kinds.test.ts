import { expect, test } from "vitest";
import { catalogueOf, reviewOf } from "../fakes/judging.ts";

const CATALOGUE = catalogueOf(`
{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front]}}}
`);

const POD_TEMPLATE = "{metadata: {labels: {app: x}}, spec: {serviceAccountName: front, containers: []}}";
const VMI_SPEC =
  "networks: [{name: default, pod: {}}], volumes: [{name: a, serviceAccount: {serviceAccountName: front}}]";

/** Every shape in which a workload of account `front` can come. */
const SHAPES: Readonly<Record<string, string>> = {
  Pod: "apiVersion: v1, kind: Pod, spec: {serviceAccountName: front}",
  "Pod by the field's old name": "apiVersion: v1, kind: Pod, spec: {serviceAccount: front}",
  PodTemplate: `apiVersion: v1, kind: PodTemplate, template: ${POD_TEMPLATE}`,
  ReplicationController: `apiVersion: v1, kind: ReplicationController, spec: {template: ${POD_TEMPLATE}}`,
  Deployment: `apiVersion: apps/v1, kind: Deployment, spec: {template: ${POD_TEMPLATE}}`,
  ReplicaSet: `apiVersion: apps/v1, kind: ReplicaSet, spec: {template: ${POD_TEMPLATE}}`,
  StatefulSet: `apiVersion: apps/v1, kind: StatefulSet, spec: {template: ${POD_TEMPLATE}}`,
  DaemonSet: `apiVersion: apps/v1, kind: DaemonSet, spec: {template: ${POD_TEMPLATE}}`,
  Job: `apiVersion: batch/v1, kind: Job, spec: {template: ${POD_TEMPLATE}}`,
  CronJob: `apiVersion: batch/v1, kind: CronJob, spec: {jobTemplate: {spec: {template: ${POD_TEMPLATE}}}}`,
  DeploymentConfig: `apiVersion: apps.openshift.io/v1, kind: DeploymentConfig, spec: {template: ${POD_TEMPLATE}}`,
  "Knative Service": `apiVersion: serving.knative.dev/v1, kind: Service, spec: {template: ${POD_TEMPLATE}}`,
  "VirtualMachine of KubeVirt before 1.9": `apiVersion: kubevirt.io/v1, kind: VirtualMachine, spec: {template: {spec: {${VMI_SPEC}}}}`,
  "VirtualMachine of KubeVirt 1.9":
    "apiVersion: kubevirt.io/v1, kind: VirtualMachine, spec: {template: {spec: {serviceAccountName: front}}}",
  VirtualMachineInstance: `apiVersion: kubevirt.io/v1, kind: VirtualMachineInstance, spec: {${VMI_SPEC}}`,
  VirtualMachinePool: `apiVersion: pool.kubevirt.io/v1beta1, kind: VirtualMachinePool, spec: {virtualMachineTemplate: {spec: {template: {spec: {${VMI_SPEC}}}}}}`,
  "ExternalWorkload of kind Machine":
    "apiVersion: signet.dev/v1alpha1, kind: ExternalWorkload, spec: {kind: Machine, serviceAccount: front}",
  "ExternalWorkload of kind Function":
    "apiVersion: signet.dev/v1alpha1, kind: ExternalWorkload, spec: {kind: Function, serviceAccount: front}",
};

for (const [name, shape] of Object.entries(SHAPES))
  test(`a ${name} gets the same identity as any other workload of its account`, () => {
    const { verdict } = reviewOf(CATALOGUE, `{metadata: {name: w, namespace: web}, ${shape}}`);
    expect([verdict.decision, verdict.identity?.spiffeId]).toEqual(["admit", "spiffe://cluster.local/ns/web/sa/front"]);
  });

for (const [name, shape] of Object.entries(SHAPES))
  test(`a ${name} of another account is refused`, () => {
    const { verdict } = reviewOf(
      CATALOGUE,
      `{metadata: {name: w, namespace: web}, ${shape.replaceAll("front", "other")}}`,
    );
    expect([verdict.decision, verdict.problems[0]?.code]).toEqual(["deny", "ROLE_NONE"]);
  });

test("a VM is stamped in its own metadata; a template is left alone", () => {
  const vm = reviewOf(CATALOGUE, `{metadata: {name: w, namespace: web}, ${SHAPES["VirtualMachineInstance"]}}`);
  const deployment = reviewOf(CATALOGUE, `{metadata: {name: w, namespace: web}, ${SHAPES["Deployment"]}}`);
  expect([vm.patch.map(({ path }) => path), deployment.patch]).toEqual([
    ["/metadata/labels", "/metadata/annotations"],
    [],
  ]);
});

test("a reserved key in a template is listed where it stands", () => {
  const template = POD_TEMPLATE.replace("app: x", "signet.dev/segment: other");
  const { verdict } = reviewOf(
    CATALOGUE,
    `{metadata: {name: w, namespace: web}, apiVersion: apps/v1, kind: Deployment, spec: {template: ${template}}}`,
  );
  expect(verdict.problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
    "STAMP_OVERWRITTEN spec.template.metadata.labels.signet.dev/segment",
  ]);
});

test("a VM on a second network is refused where no target covers it", () => {
  const { verdict } = reviewOf(
    CATALOGUE,
    "{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {name: w, namespace: web}, spec: {template: {spec: {serviceAccountName: front, networks: [{name: default, pod: {}}, {name: lan, multus: {networkName: lan}}]}}}}",
  );
  expect(verdict.problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
    "UNCOVERED_INTERFACE spec.template.spec.networks[1]",
  ]);
});

/** Interfaces of a VM, and whether a target sees all of them. */
const INTERFACES: readonly (readonly [string, string, string | undefined])[] = [
  [
    "masquerade",
    "networks: [{name: a, pod: {}}], domain: {devices: {interfaces: [{name: a, masquerade: {}}]}}",
    undefined,
  ],
  [
    "bridge on the Pod network",
    "networks: [{name: a, pod: {}}], domain: {devices: {interfaces: [{name: a, bridge: {}, ports: [{port: 80}]}]}}",
    undefined,
  ],
  [
    "passt",
    "networks: [{name: a, pod: {}}], domain: {devices: {interfaces: [{name: a, passtBinding: {}}]}}",
    undefined,
  ],
  [
    "the binding of a primary user-defined network",
    "networks: [{name: a, pod: {}}], domain: {devices: {interfaces: [{name: a, binding: {name: l2bridge}}]}}",
    undefined,
  ],
  ["no networks at all", "domain: {devices: {}}", undefined],
  [
    "a plugin that nobody knows",
    "networks: [{name: a, pod: {}}], domain: {devices: {interfaces: [{name: a, binding: {name: fast}}]}}",
    "domain.devices.interfaces[0]",
  ],
  [
    "macvtap",
    "networks: [{name: a, multus: {networkName: m}}], domain: {devices: {interfaces: [{name: a, macvtap: {}}]}}",
    "networks[0]",
  ],
  [
    "sriov",
    "networks: [{name: a, pod: {}}, {name: b, multus: {networkName: vf}}], domain: {devices: {interfaces: [{name: a, masquerade: {}}, {name: b, sriov: {}}]}}",
    "networks[1]",
  ],
  [
    "sriov on the Pod network",
    "networks: [{name: a, pod: {}}], domain: {devices: {interfaces: [{name: a, sriov: {}}]}}",
    "domain.devices.interfaces[0]",
  ],
  [
    "localnet by Multus",
    "networks: [{name: lan, multus: {networkName: localnet}}], domain: {devices: {interfaces: [{name: lan, bridge: {}}]}}",
    "networks[0]",
  ],
  ["Multus as the default network", "networks: [{name: a, multus: {default: true, networkName: m}}]", "networks[0]"],
  [
    "a network that was unplugged",
    "networks: [{name: a, pod: {}}, {name: b, multus: {networkName: m}}], domain: {devices: {interfaces: [{name: a, masquerade: {}}, {name: b, state: absent, bridge: {}}]}}",
    undefined,
  ],
];

test.each(INTERFACES)("a VM with %s is judged by whether a target covers it", (_what, spec, uncovered) => {
  const { verdict } = reviewOf(
    CATALOGUE,
    `{apiVersion: kubevirt.io/v1, kind: VirtualMachineInstance, metadata: {name: w, namespace: web}, spec: {serviceAccountName: front, ${spec}}}`,
  );
  expect(verdict.problems.map(({ code, path }) => `${code} ${path}`)).toEqual(
    uncovered === undefined ? [] : [`UNCOVERED_INTERFACE spec.${uncovered}`],
  );
});

test("a Pod with another default network is refused", () => {
  const { verdict } = reviewOf(
    CATALOGUE,
    "{apiVersion: v1, kind: Pod, metadata: {name: w, namespace: web, annotations: {v1.multus-cni.io/default-network: lan}}, spec: {serviceAccountName: front}}",
  );
  expect(verdict.problems.map(({ code }) => code)).toEqual(["UNCOVERED_INTERFACE"]);
});

test("a VM that names no account is refused with what mends it for each KubeVirt", () => {
  const { verdict } = reviewOf(
    CATALOGUE,
    "{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {name: w, namespace: web}, spec: {template: {spec: {}}}}",
  );
  expect(verdict.problems).toEqual([
    {
      code: "ROLE_NONE",
      path: "spec.template.spec.serviceAccountName",
      message: "No role fits account web/default.",
      mend: "Name a service account. KubeVirt 1.9 and later: spec.template.spec.serviceAccountName: front. Before: a volume with serviceAccount: {serviceAccountName: front} in spec.template.spec.volumes, and a disk or filesystem of its name.",
    },
  ]);
});

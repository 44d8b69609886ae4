import { expect, test } from "vitest";
import { liveObject } from "../../../src/kube/live-object.ts";
import type { Raw } from "../../../src/wire/read-object.ts";
import { readWorkload } from "../../../src/wire/workloads.ts";
import { workloadKinds } from "../../../src/wire/workloads/shapes.ts";
import { templateEssence } from "../../../src/wire/workloads/template-essence.ts";
import { must } from "../../fakes/judging.ts";

const POD = {
  metadata: { labels: { app: "w" }, annotations: { "signet.dev/exception": "e", other: "long" } },
  spec: {
    serviceAccountName: "db",
    hostPID: true,
    volumes: [
      { name: "a", emptyDir: {} },
      { name: "h", hostPath: { path: "/srv" } },
    ],
    containers: [
      { name: "m", image: "x", env: [{ name: "SECRET", value: "s" }], securityContext: { privileged: true } },
    ],
  },
};
const INSTANCE = {
  metadata: { labels: { app: "w" } },
  spec: {
    serviceAccountName: "db",
    networks: [{ name: "lan", multus: { networkName: "lan" } }],
    volumes: [{ name: "init", cloudInitNoCloud: { userData: "secret" } }],
    domain: { cpu: { cores: 1 }, devices: { interfaces: [{ name: "lan", bridge: {} }], disks: [] } },
  },
};
const METADATA = { name: "w", namespace: "ns", uid: "u", resourceVersion: "1", annotations: { other: "long" } };

/** Every kind that is judged by a template, with one in it. */
const TEMPLATES: readonly (readonly [string, Raw])[] = [
  ["apps/v1 Deployment", { spec: { template: POD } }],
  ["apps/v1 StatefulSet", { spec: { template: POD } }],
  ["apps/v1 DaemonSet", { spec: { template: POD } }],
  ["batch/v1 CronJob", { spec: { jobTemplate: { spec: { template: POD } } } }],
  ["serving.knative.dev/v1 Service", { spec: { template: POD } }],
  ["kubevirt.io/v1 VirtualMachine", { spec: { template: INSTANCE } }],
  ["kubevirt.io/v1 VirtualMachineInstanceReplicaSet", { spec: { template: INSTANCE } }],
  [
    "pool.kubevirt.io/v1beta1 VirtualMachinePool",
    { spec: { virtualMachineTemplate: { spec: { template: INSTANCE } } } },
  ],
];

test.each(TEMPLATES)(
  "the essence of a %s is judged as the whole is, holds no secret of it, and is its own essence",
  (what, body) => {
    const [apiVersion = "", kind = ""] = what.split(" ");
    expect(workloadKinds()).toContain(`${apiVersion.split("/")[0]}/${kind}`);
    const whole = { apiVersion, kind, metadata: METADATA, ...body };
    const essence = JSON.parse(JSON.stringify(templateEssence(whole))) as Raw;
    const read = (raw: Raw) => {
      const {
        annotations: _all,
        ownAnnotations: _own,
        source: _where,
        ...rest
      } = must(readWorkload(liveObject(raw), { namespace: "ns" })) ??
      (() => {
        throw new Error("no workload");
      })();
      return rest;
    };
    expect(read(essence)).toEqual(read(whole));
    expect(JSON.stringify(essence)).not.toMatch(/SECRET|long|disks|image/);
    expect(JSON.parse(JSON.stringify(templateEssence(essence)))).toEqual(essence);
  },
);

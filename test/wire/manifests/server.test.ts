import { expect, test } from "vitest";
import { parse } from "yaml";
import { readServerConfig } from "../../../src/wire/config.ts";
import {
  BUNDLE_FLAGS,
  bundlePatches,
  bundleService,
  GRPC_FLAGS,
  grpcPatches,
} from "../../../src/wire/manifests/further-ports.ts";
import { must } from "../../fakes/judging.ts";
import type { Manifest } from "../../../src/wire/manifests/manifest.ts";
import { objectsIn } from "./manifests.ts";

const objects = objectsIn("base/server");
const find = (kind: string): Manifest | undefined => objects.find((each) => each.kind === kind);

type Data = { readonly data: Readonly<Record<string, unknown>> };

test("the server reads the ConfigMap as its configuration", () => {
  const text = String((find("ConfigMap") as unknown as Data).data["server.yaml"]);
  expect(readServerConfig({ name: "server.yaml", text }, {})).toEqual({
    ok: true,
    value: {
      cluster: {
        leafMs: 86_400_000,
        authorityMs: 31_536_000_000,
        settleMs: 30_000,
        podNetworks: [],
        virtControllers: [],
      },
      host: "0.0.0.0",
      port: 8443,
      state: "/var/lib/signet",
      catalogue: "/var/lib/signet/catalogue",
      names: ["signet.signet-system.svc", "signet.signet-system.svc.cluster.local"],
      requireApproval: true,
      authorities: { ownRoots: true },
      log: { level: "info", format: "json" },
      drainDelayMs: 2_000,
      drainGraceMs: 30_000,
    },
  });
});

/** Kind, path and port of each patch. */
const portsIn = (patches: readonly object[]) =>
  patches.map((each) => {
    const { target, patch } = each as { readonly target: { readonly kind: string }; readonly patch: string };
    const [operation] = parse(patch) as [{ readonly path: string; readonly value: Readonly<Record<string, unknown>> }];
    return [target.kind, operation.path, operation.value["containerPort"] ?? operation.value["port"]];
  });

test("the component for Istio opens one port: of the server, its Pods, its Service and its NetworkPolicy", () => {
  const port = must(readServerConfig(undefined, { grpcListen: GRPC_FLAGS[1] ?? "" })).grpc?.port;
  expect(GRPC_FLAGS[0]).toBe("--grpc-listen");
  expect(portsIn(grpcPatches())).toEqual([
    ["Deployment", "/spec/template/spec/containers/0/ports/-", port],
    ["NetworkPolicy", "/spec/ingress/0/ports/-", port],
    ["Service", "/spec/ports/-", port],
  ]);
});

test("the component for other trust domains opens one port, by a Service that has no other", () => {
  const port = must(readServerConfig(undefined, { bundleListen: BUNDLE_FLAGS[1] ?? "" })).bundleEndpoint?.port;
  expect([BUNDLE_FLAGS[0], port]).toEqual(["--bundle-listen", 8444]);
  expect(portsIn(bundlePatches())).toEqual([
    ["Deployment", "/spec/template/spec/containers/0/ports/-", port],
    ["NetworkPolicy", "/spec/ingress/0/ports/-", port],
  ]);
  expect(bundleService()["spec"]).toEqual({
    selector: { "app.kubernetes.io/name": "signet", "app.kubernetes.io/component": "server" },
    ports: [{ name: "bundle", port, targetPort: "bundle", protocol: "TCP" }],
  });
});

type Spec = {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly { readonly lifecycle: { preStop: { sleep: { seconds: number } } } }[];
      };
    };
  };
};

test("the kubelet waits longer than a Pod needs to leave, to drain and to finish", () => {
  const { spec } = (find("Deployment") as unknown as Spec).spec.template;
  const leaving = spec.containers[0]?.lifecycle.preStop.sleep.seconds ?? 0;
  expect(leaving).toBeGreaterThan(0);
  expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(leaving + 2 + 30);
});

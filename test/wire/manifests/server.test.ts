import { expect, test } from "vitest";
import { readServerConfig } from "../../../src/wire/config.ts";
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

import { expect, test } from "vitest";
import { withoutStatus } from "../../src/kube/live-policies.ts";

const written = (manager: string, time: string, subresource?: string) => ({
  manager,
  operation: "Update",
  time,
  fieldsV1: { "f:spec": {} },
  ...(subresource === undefined ? {} : { subresource }),
});

test.each([
  ["nobody but ourselves", [written("signet", "2026-12-01T00:00:09Z")], undefined],
  [
    "the one who wrote last",
    [written("kyverno", "2026-12-01T00:00:02Z"), written("argocd", "2026-12-01T00:00:01Z")],
    "kyverno",
  ],
  [
    "not who wrote a status",
    [written("kubectl", "2026-12-01T00:00:01Z"), written("cni", "2026-12-01T00:00:02Z", "status")],
    "kubectl",
  ],
] as const)("of who wrote a policy stays %s", (_what, managedFields, manager) => {
  const kept = withoutStatus({ spec: {}, status: {}, metadata: { name: "db", managedFields } });
  const metadata = { name: "db", ...(manager === undefined ? {} : { managedFields: [{ manager }] }) };
  expect(kept).toEqual({ spec: {}, metadata });
});

import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kubectlDone } from "../cluster/accepted.ts";
import { inside, linesOf, runPod } from "../node/pods.ts";
import { BACK, frontOf, idOf, openShop, type Shop } from "../node/shop.ts";

const BOOT_MS = 300_000;
/** The earliest that the API server allows is ten minutes after a certificate begins, which is two before it is issued; kubelet adds up to five, and a round of one to two. */
const REFRESH_MS = 18 * 60_000;
const POLL = { timeout: 90_000, interval: 250 };

/** Signet asks kubelets to come back at half of a certificate's life, which is hours: here the API server makes it the earliest. */
const EARLY = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: refresh-early}
spec:
  failurePolicy: Fail
  reinvocationPolicy: Never
  matchConstraints:
    resourceRules:
    - {apiGroups: [certificates.k8s.io], apiVersions: ["*"], operations: [UPDATE], resources: [podcertificaterequests/status]}
  matchConditions:
  - {name: issued, expression: "has(object.status.beginRefreshAt)"}
  mutations:
  - patchType: JSONPatch
    jsonPatch:
      expression: >-
        [JSONPatch{op: "replace", path: "/status/beginRefreshAt",
        value: string(timestamp(object.status.notBefore) + duration("10m"))}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: refresh-early}
spec: {policyName: refresh-early}
`;

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
  await kubectlDone(shop.cluster, ["apply", "-f", "-"], { stdin: EARLY });
  // An API server takes some seconds to know a policy, and nothing tells when.
  await pause(15_000);
}, BOOT_MS);
afterAll(() => shop?.stop(), BOOT_MS);

const certificate = (pod: string, container: string): Promise<string> =>
  inside(shop.cluster, pod, container, 'cat "$SIGNET_SVID_BUNDLE"');

test("kubelet renews certificates by itself under Pods that go on, and no call fails", {
  timeout: REFRESH_MS + BOOT_MS,
}, async () => {
  const address = await runPod(shop.cluster, BACK);
  const listening = () => inside(shop.cluster, "back", "main", "standin connect 127.0.0.1:8443");
  await expect.poll(listening, POLL).toBe("open\n");
  await runPod(shop.cluster, frontOf(address, ["go"]));
  const both = () => Promise.all([certificate("back", "main"), certificate("front", "go")]);
  const before = await both();
  const renewed = async () => (await both()).map((text, index) => text !== "" && text !== before[index]);
  await expect.poll(renewed, { timeout: REFRESH_MS, interval: 5_000 }).toEqual([true, true]);
  const calls = await linesOf(shop.cluster, "front", "go");
  expect(calls.filter((line) => !line.startsWith(`${idOf("front")} (of `))).toEqual([]);
  const { body } = await shop.cluster.request("GET", "/api/v1/namespaces/web/pods");
  const { items } = body as {
    readonly items: readonly { readonly status: { readonly containerStatuses: object[] } }[];
  };
  expect(items.flatMap(({ status }) => status.containerStatuses)).toMatchObject([
    { restartCount: 0 },
    { restartCount: 0 },
  ]);
});

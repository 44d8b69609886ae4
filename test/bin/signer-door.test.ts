import { expect, test } from "vitest";
import { answerAsk } from "../../src/bin/cluster/signer/answer.ts";
import { readPodFacts } from "../../src/wire/pod-facts.ts";
import { csrOf, leafKey, SHOP_CATALOGUE, testAuthority, walkParts } from "../fakes/ca.ts";
import { catalogueOf, must, objectsOf } from "../fakes/judging.ts";

const LAUNCHER = `
apiVersion: v1
kind: Pod
metadata:
  {name: virt-launcher-vm-abcde, namespace: web, uid: pod-uid, ownerReferences: [{apiVersion: kubevirt.io/v1, kind: VirtualMachineInstance, name: vm, uid: i, controller: true}]}
spec:
  serviceAccountName: cart
  nodeName: n1
  containers: [{name: compute, image: app}]
  volumes: [{name: svid, projected: {sources: [{podCertificate: {signerName: signet.dev/svid, keyType: ECDSAP256}}]}}]
status: {phase: Running}
`;
const RESTRICTION = `---
{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q-1}, spec: {target: {virtualMachine: {namespace: web, name: vm}}, effect: quarantine, reason: It scans.}}
`;

async function answerWith(catalogue: string) {
  const live = objectsOf(LAUNCHER).map((object) => ({
    pod: must(readPodFacts(object)),
    serviceAccount: "account-uid",
    node: "node-uid",
  }));
  const [found = {}] = live;
  const { parts } = walkParts((await testAuthority()).issuer, { catalogue: catalogueOf(catalogue) });
  const asked = {
    namespace: "web",
    name: "ask",
    uid: "ask-uid",
    pod: { name: "virt-launcher-vm-abcde", uid: "pod-uid" },
    serviceAccount: { name: "cart", uid: "account-uid" },
    node: { name: "n1", uid: "node-uid" },
    maxExpirationSeconds: 7200,
    key: { form: "pkcs10", request: csrOf(leafKey()) },
    annotations: {},
  } as const;
  return answerAsk(asked, { ...parts, witness: { seen: () => found, ask: () => Promise.resolve(found) } });
}

test("a kubelet's request for the launcher of a restricted virtual machine waits", async () => {
  expect(await answerWith(SHOP_CATALOGUE)).toMatchObject({ do: "write", outcome: "issued" });
  expect(await answerWith(SHOP_CATALOGUE + RESTRICTION)).toMatchObject({
    do: "wait",
    message: expect.stringContaining("Restriction q-1 (quarantine) stands against it: It scans.") as string,
  });
});

import { expect, test } from "vitest";
import { DefinitionStore } from "../../src/kube/definition-store.ts";

const trustDomain = (name: string, domain: string) => ({
  apiVersion: "signet.dev/v1alpha1",
  kind: "TrustDomain",
  metadata: { name, uid: `${name}-uid`, resourceVersion: "1" },
  spec: { domain },
});

test("our trust domain is told apart from those that we federate with, each an object of its own", () => {
  const store = new DefinitionStore();
  expect(store.definitions()).not.toHaveProperty("foreignDomains");
  for (const [name, domain] of [
    ["partner", "partner.org"],
    ["local", "example.org"],
    ["bank", "bank.org"],
  ] as const)
    store.put(trustDomain(name, domain));
  const { trustDomain: ours, foreignDomains = [] } = store.definitions();
  expect([ours?.domain, foreignDomains.map(({ domain }) => domain)]).toEqual([
    "example.org",
    ["partner.org", "bank.org"],
  ]);
  store.remove(trustDomain("bank", "bank.org"));
  expect(store.definitions().foreignDomains?.map(({ name }) => name)).toEqual(["partner"]);
});

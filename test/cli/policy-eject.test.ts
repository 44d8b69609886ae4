import { expect, test } from "vitest";
import { folderWith } from "./folder.ts";
import { runPolicy } from "./run-policy.ts";

const SHOP = "test/conformance/data/apps/online-boutique/kubernetes-manifests.yaml";
const NETWORK = ["--catalogue=docs/examples/online-boutique", "--pod-cidr=10.244.0.0/16"];

test("ejected policies know no label of ours, and mean the same", () => {
  const ran = runPolicy(["eject", SHOP, ...NETWORK]);
  expect([ran.code, ran.err]).toEqual([0, "The two mean the same as of 1970-01-01T00:00:00Z.\n"]);
  expect(ran.out).not.toContain("signet");
  expect(ran.out.match(/^ {2}name: /gm)?.length).toBe(13);
});

test("workloads that their own labels don't tell apart are named, and nothing is opened for them", () => {
  const twins = folderWith(
    ["web", "batch"]
      .map(
        (name) =>
          `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: default, labels: {app: same}}, spec: {serviceAccountName: ${name === "web" ? "frontend" : "adservice"}, containers: [{name: a, image: x}]}}`,
      )
      .join("\n---\n"),
  );
  const ran = runPolicy(["eject", twins, ...NETWORK]);
  expect(ran.code).toBe(1);
  expect(ran.err).toContain(
    "narrower   ORDER_FLATTENED  SegmentPolicy default/adservice, spec.allow[0] (networkpolicy)",
  );
});

test("what was ejected is imported again as sentences that mean the same", () => {
  const plain = folderWith(runPolicy(["eject", SHOP, ...NETWORK]).out);
  const ran = runPolicy(["import", SHOP, plain, ...NETWORK]);
  expect([ran.code, ran.err]).toEqual([0, "The two mean the same between the workloads read.\n"]);
  expect(ran.out.match(/role: redis-cart\n/g)?.length).toBe(1);
});

test("what sentences cannot say of the policies that were there is listed", () => {
  const some = folderWith(
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: some, namespace: default}, spec: {podSelector: {matchLabels: {app: frontend}}, ingress: [{from: [{podSelector: {matchLabels: {app: adservice}}}]}]}}",
  );
  const twice = folderWith(
    "{apiVersion: v1, kind: Pod, metadata: {name: lone, namespace: elsewhere}, spec: {containers: [{name: a, image: x}]}}",
  );
  const ran = runPolicy(["import", SHOP, some, twice, ...NETWORK]);
  expect(ran.code).toBe(1);
  expect(ran.err).toContain("They differ between the workloads read as said above.\n");
});

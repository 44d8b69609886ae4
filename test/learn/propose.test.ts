import { expect, test } from "vitest";
import type { Workload } from "../../src/domain/workload.ts";
import { EXEMPT_NAMESPACES } from "../../src/domain/exempt-namespaces.ts";
import { propose } from "../../src/learn/propose/propose.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { must, objectsOf } from "../fakes/judging.ts";

const deployment = (name: string, account: string, { namespace = "shop", labels = "" } = {}): string =>
  `{apiVersion: apps/v1, kind: Deployment, metadata: {name: ${name}, namespace: ${namespace}}, spec: {template: {metadata: {labels: {${labels}}}, spec: {serviceAccountName: ${account}, containers: []}}}}`;

const proposed = (...objects: readonly string[]) => {
  const workloads = objectsOf(objects.join("\n---\n")).flatMap((object): readonly Workload[] => {
    const read = must(readWorkload(object, { namespace: object.namespace }));
    return read ? [read] : [];
  });
  return propose(workloads, EXEMPT_NAMESPACES);
};

const roles = (...objects: readonly string[]) =>
  proposed(...objects).roles.map(({ name, account, why }) => `${name}: ${account}, for ${why}`);

test("an account that one application has stays", () => {
  expect(roles(deployment("web", "web"))).toEqual(["web: web, for account web is its alone"]);
});

test("applications that share an account get one each, and a patch for each", () => {
  const { roles: found, patches, accounts } = proposed(deployment("web", "shop"), deployment("api", "shop"));
  expect(found.map(({ name, account, why }) => [name, account, why])).toEqual([
    ["api", "api", "account shop is also web's"],
    ["web", "web", "account shop is also api's"],
  ]);
  expect(patches.map(({ object, before, account, path }) => [object.name, before, account, path])).toEqual([
    ["api", "shop", "api", "/spec/template/spec/serviceAccountName"],
    ["web", "shop", "web", "/spec/template/spec/serviceAccountName"],
  ]);
  expect(accounts.map(({ name }) => name)).toEqual(["api", "web"]);
});

test("versions of one application are one", () => {
  expect(
    roles(
      deployment("reviews-v1", "reviews", { labels: "app: reviews" }),
      deployment("reviews-v2", "reviews", { labels: "app: reviews" }),
    ),
  ).toEqual(["reviews: reviews, for account reviews is its alone"]);
  expect(roles(deployment("cart-v1", "cart"), deployment("cart-v2", "cart"))).toEqual([
    "cart: cart, for account cart is its alone",
  ]);
});

test("no account is proposed that another application has", () => {
  const { roles: found } = proposed(deployment("web", "default"), deployment("other", "web"));
  expect(found.map(({ name, account }) => `${name}: ${account}`)).toEqual(["other: web", "web: web-workload"]);
});

test("a name that two namespaces have gets the namespace before it, and environments are guessed from names", () => {
  const { roles: found, segments } = proposed(
    deployment("web", "web", { namespace: "shop-prod" }),
    deployment("web", "web", { namespace: "shop-test" }),
  );
  expect(found.map(({ name, segment }) => [name, segment])).toEqual([
    ["shop-prod-web", "shop-prod"],
    ["shop-test-web", "shop-test"],
  ]);
  expect(segments.map(({ name, environment }) => [name, environment])).toEqual([
    ["shop-prod", "prod"],
    ["shop-test", "test"],
  ]);
});

test("a machine's account is patched where KubeVirt has it, and its role is for machines", () => {
  const machine =
    "{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {name: db, namespace: vms}, spec: {template: {spec: {domain: {}}}}}";
  const { roles: found, patches } = proposed(machine);
  expect([found[0]?.kinds, patches[0]?.path]).toEqual([["VirtualMachine"], "/spec/template/spec/serviceAccountName"]);
});

test("what the cluster runs for itself is left alone, and what a controller made is left to what speaks for it", () => {
  const owned = `{apiVersion: v1, kind: Pod, metadata: {name: web-1, namespace: shop, ownerReferences: [{kind: ReplicaSet, name: web, uid: u, controller: true}]}, spec: {}}`;
  const { left, roles: found, segments } = proposed(deployment("dns", "dns", { namespace: "kube-system" }), owned);
  expect([found, segments, left]).toEqual([[], [], ["kube-system"]]);
});

test("what reaches out of its boundary is named, and not permitted", () => {
  const agent = `{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: shop}, spec: {template: {spec: {serviceAccountName: agent, hostNetwork: true, volumes: [{name: v, hostPath: {path: /proc}}]}}}}`;
  expect(proposed(agent).roles.map(({ escapes }) => escapes)).toEqual([["hostNetwork", "hostPath:/proc"]]);
});

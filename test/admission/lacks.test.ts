import { expect, test } from "vitest";
import { lacksOf } from "../../src/admission/lacks.ts";
import { makeCatalogue } from "../../src/domain/catalogue.ts";
import type { Workload } from "../../src/domain/workload.ts";
import { readDefinitions } from "../../src/wire/definitions.ts";
import { must, objectsOf } from "../fakes/judging.ts";

const DEFINITIONS = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, uid: n1, labels: {signet.dev/enrol: "true"}}
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata: {name: shop, uid: s1, generation: 2}
spec: {environment: prod, owner: o@example.org, namespaces: [shop], mode: enforce}
status: {approved: {generation: 2, by: [ann], spec: {environment: prod, owner: o@example.org, namespaces: [shop], mode: enforce}}}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata: {name: cart, uid: r1, generation: 3}
spec: {segment: shop, match: {serviceAccounts: [cart]}}
status: {approved: {generation: 3, by: [ann], spec: {segment: shop, match: {serviceAccounts: [cart]}}}}
`;

const CATALOGUE = makeCatalogue(must(readDefinitions(objectsOf(DEFINITIONS))), "r");

const stamp = (role: object, segment: object = {}): string =>
  JSON.stringify({
    role: { name: "cart", uid: "r1", generation: 3, ...role },
    segment: { name: "shop", uid: "s1", generation: 2, ...segment },
  });

const pod = (namespace: string, annotation?: string): Workload => {
  const annotations = annotation === undefined ? {} : { "signet.dev/stamp": annotation };
  return {
    kind: "Pod",
    object: { apiVersion: "v1", kind: "Pod", namespace, name: "cart-1" },
    form: "pod",
    namespace,
    serviceAccount: "cart",
    labels: {},
    annotations,
    ownLabels: {},
    ownAnnotations: annotations,
    escapes: [],
    metadataPath: "metadata",
  };
};

test.each([
  ["all that a known stamp names is there", "shop", stamp({}), []],
  ["an older generation is no reason to look", "shop", stamp({ generation: 1 }), []],
  [
    "a later generation of the role is read",
    "shop",
    stamp({ generation: 4 }),
    [{ kind: "WorkloadRole", name: "cart" }],
  ],
  ["a role made anew is read", "shop", stamp({ uid: "r2" }), [{ kind: "WorkloadRole", name: "cart" }]],
  ["a role that nobody knows is read", "shop", stamp({ name: "new" }), [{ kind: "WorkloadRole", name: "new" }]],
  [
    "a later generation of the segment is read",
    "shop",
    stamp({}, { generation: 9 }),
    [{ kind: "Segment", name: "shop" }],
  ],
  ["a namespace that nobody knows is read", "fresh", undefined, [{ kind: "Namespace", name: "fresh" }]],
  ["an exempt namespace never is", "kube-system", stamp({ generation: 4 }), []],
  ["what is no stamp names nothing", "shop", "{", []],
  ["a path is no name", "shop", stamp({ name: "../secrets" }), []],
])("%s", (_, namespace, annotation, lacks) => {
  expect(lacksOf(CATALOGUE, pod(namespace, annotation), "validate")).toEqual(lacks);
});

test("mutation believes no stamp, so none makes it look", () => {
  expect(lacksOf(CATALOGUE, pod("shop", stamp({ generation: 4 })), "mutate")).toEqual([]);
});

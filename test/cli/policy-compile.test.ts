import { expect, test } from "vitest";
import { runPolicy } from "./run-policy.ts";

const APPS = {
  "online-boutique": ["kubernetes-manifests.yaml"],
  "sock-shop": ["manifests", "manifests-loadtest"],
  bookinfo: ["bookinfo.yaml"],
} as const;

const paths = (app: keyof typeof APPS): readonly string[] =>
  APPS[app].map((path) => `test/conformance/data/apps/${app}/${path}`);

const compiled = (app: keyof typeof APPS, ...more: readonly string[]) =>
  runPolicy(["compile", ...paths(app), "--catalogue", `docs/examples/${app}`, "--pod-cidr", "10.244.0.0/16", ...more]);

test.each(["online-boutique", "sock-shop", "bookinfo"] as const)("%s as NetworkPolicies", async (app) => {
  const ran = compiled(app);
  expect(ran.code).toBe(0);
  await expect(ran.out).toMatchFileSnapshot(`../golden/compile/${app}.networkpolicy.yaml`);
  await expect(ran.err).toMatchFileSnapshot(`../golden/compile/${app}.networkpolicy.losses.txt`);
});

test("what outside means is not guessed: without the Pod networks nothing is printed", () => {
  const ran = runPolicy(["compile", ...paths("bookinfo"), "--catalogue", "docs/examples/bookinfo"]);
  expect([ran.code, ran.out]).toEqual([3, ""]);
  expect(ran.err).toContain("wider      ADDRESS_MAY_BE_POD  SegmentPolicy default/productpage, spec.allow[0]");
  expect(ran.err).toContain("Nothing is published: one loss lets through more between workloads than is meant.\n");
});

test("a loss may be taken upon oneself until an end, and no longer", () => {
  const waived = (at: string) =>
    runPolicy([
      "compile",
      ...paths("bookinfo"),
      "--catalogue=docs/examples/bookinfo",
      `--at=${at}`,
      "--waive=ADDRESS_MAY_BE_POD=2027-01-31T00:00:00Z",
    ]).code;
  expect([waived("2027-01-30T00:00:00Z"), waived("2027-01-31T00:00:00Z")]).toEqual([0, 3]);
});

test("a loss of one rule may be taken upon oneself, and no other's", () => {
  const waived = (rule: string) =>
    runPolicy([
      "compile",
      ...paths("bookinfo"),
      "--catalogue=docs/examples/bookinfo",
      "--at=2027-01-30T00:00:00Z",
      `--waive=ADDRESS_MAY_BE_POD:${rule}=2027-01-31T00:00:00Z`,
    ]).code;
  expect(["SegmentPolicy default/productpage, spec.allow[0]", "SegmentPolicy default/other"].map(waived)).toEqual([
    0, 3,
  ]);
});

test("what nobody can judge unseen is waived by its name only", () => {
  const waive = (text: string) => () => runPolicy(["compile", ...paths("bookinfo"), `--waive=${text}`]);
  expect(waive("FOREIGN_UNREAD=2027-01-31T00:00:00Z")).toThrow(
    'of FOREIGN_UNREAD also what you looked at, as the report names it: "FOREIGN_UNREAD:CiliumNetworkPolicy shop/open=',
  );
  expect(waive("FOREIGN_UNREAD:CiliumNetworkPolicy shop/open=2027-01-31T00:00:00Z")).not.toThrow();
});

test("a NetworkPolicy of somebody else that opens more blocks, and is named with its pairs", () => {
  const ran = runPolicy([
    "compile",
    ...paths("sock-shop"),
    "test/conformance/data/apps/sock-shop/manifests-policy",
    "--catalogue=docs/examples/sock-shop",
    "--pod-cidr=10.244.0.0/16",
    "--output=json",
  ]);
  const { objects, blocking } = JSON.parse(ran.out) as {
    readonly objects: readonly unknown[];
    readonly blocking: readonly { readonly code: string }[];
  };
  expect([ran.code, objects]).toEqual([3, []]);
  expect(new Set(blocking.map(({ code }) => code))).toEqual(new Set(["FOREIGN_ALLOW"]));
});

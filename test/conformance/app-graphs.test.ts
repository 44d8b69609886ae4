import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runPolicy } from "../cli/run-policy.ts";

const APPS = "test/conformance/data/apps";
const EXAMPLES = "docs/examples";

type Edge = {
  readonly from: string;
  readonly to: string;
  readonly podPort: number;
  readonly protocol: string;
};

/** The true edges of an application, as `from -> to TCP 80`; names carry their namespace. */
function trueEdges(app: string, namespace: string): readonly string[] {
  const { edges } = JSON.parse(readFileSync(`${APPS}/${app}/edges.json`, "utf8")) as {
    readonly edges: readonly Edge[];
  };
  const full = (name: string): string => (name === "external" || name.includes("/") ? name : `${namespace}/${name}`);
  return edges.map(({ from, to, podPort, protocol }) => `${full(from)} -> ${full(to)} ${protocol} ${podPort}`).sort();
}

type Row = { readonly src: string; readonly dst: string; readonly conn: string };

/** What `signet policy connectivity` lists, in the same words. */
function listed(...args: readonly string[]): readonly string[] {
  const ran = runPolicy(["connectivity", ...args, "--output", "json"]);
  expect(ran.code).toBe(0);
  const name = (text: string): string => (text.endsWith("[External]") ? "external" : text.replace(/\[\w+\]$/, ""));
  const rows = JSON.parse(ran.out) as readonly Row[];
  return [...new Set(rows.map(({ src, dst, conn }) => `${name(src)} -> ${name(dst)} ${conn}`))].sort();
}

describe("the sentences of an example leave open exactly the calls that its application makes", () => {
  for (const [app, manifests, namespace] of [
    ["online-boutique", ["kubernetes-manifests.yaml"], "default"],
    ["sock-shop", ["manifests", "manifests-loadtest"], "sock-shop"],
    ["bookinfo", ["bookinfo.yaml"], "default"],
  ] as const)
    test(app, () => {
      const paths = manifests.map((path) => `${APPS}/${app}/${path}`);
      expect(listed(...paths, "--catalogue", `${EXAMPLES}/${app}`)).toEqual(trueEdges(app, namespace));
    });
});

test("Online Boutique's own policies break none of its calls", () => {
  const paths = ["kubernetes-manifests.yaml", "network-policies"].map((path) => `${APPS}/online-boutique/${path}`);
  expect(listed(...paths, "--catalogue", `${EXAMPLES}/online-boutique`)).toEqual(
    trueEdges("online-boutique", "default"),
  );
});

test("Sock Shop's own policies break four of its calls, whatever our sentences open", () => {
  const paths = ["manifests", "manifests-loadtest", "manifests-policy"].map((path) => `${APPS}/sock-shop/${path}`);
  const open = new Set(listed(...paths, "--catalogue", `${EXAMPLES}/sock-shop`));
  expect(trueEdges("sock-shop", "sock-shop").filter((edge) => !open.has(edge))).toEqual([
    "sock-shop/carts -> sock-shop/carts-db TCP 27017",
    "sock-shop/front-end -> sock-shop/carts TCP 80",
    "sock-shop/front-end -> sock-shop/session-db TCP 6379",
    "sock-shop/orders -> sock-shop/carts TCP 80",
  ]);
});

test("without its sentences the same segment leaves nothing open", () => {
  const paths = ["manifests", "manifests-loadtest"].map((path) => `${APPS}/sock-shop/${path}`);
  expect(listed(...paths, "--catalogue", `${EXAMPLES}/sock-shop/catalogue.yaml`)).toEqual([]);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runPolicy } from "../cli/run-policy.ts";

const ROOT = join(import.meta.dirname, "data/apps");

type Edge = {
  readonly from: string;
  readonly to: string;
  readonly podPort: number;
  readonly protocol: string;
  readonly optional?: string;
};

const edgesOf = (app: string): readonly Edge[] =>
  (JSON.parse(readFileSync(join(ROOT, app, "edges.json"), "utf8")) as { readonly edges: readonly Edge[] }).edges.filter(
    ({ optional }) => !optional,
  );

type Row = { readonly src: string; readonly dst: string; readonly conn: string };

/** The list of a folder, looked through for one port. */
function reachOf(app: string): (edge: Edge) => boolean {
  const allowed = new Map<string, ReadonlySet<string>>();
  return ({ from, to, podPort, protocol }) => {
    const conn = `${protocol}-${podPort}`;
    const pairs = allowed.get(conn) ?? pairsOn(app, conn);
    allowed.set(conn, pairs);
    return pairs.has(`${from} => ${to}`);
  };
}

function pairsOn(app: string, conn: string): ReadonlySet<string> {
  const rows = JSON.parse(
    runPolicy(["connectivity", join(ROOT, app), "--focus-conn", conn, "--output", "json"]).out,
  ) as readonly Row[];
  const short = (text: string): string => (text.includes("[External]") ? "external" : text.replace(/^.*\/|\[.*$/g, ""));
  return new Set(rows.map(({ src, dst }) => `${short(src)} => ${short(dst)}`));
}

const nameOf = ({ from, to, protocol, podPort }: Edge): string => `${from} to ${to} on ${protocol} ${podPort}`;

describe("Online Boutique keeps every true edge under its own policies", () => {
  const reaches = reachOf("online-boutique");
  for (const edge of edgesOf("online-boutique")) test(nameOf(edge), () => expect(reaches(edge)).toBe(true));
});

/** The policies select `name: cart`, the Pods say `carts`; and nothing allows session-db. */
const BROKEN = [
  "front-end to carts on TCP 80",
  "orders to carts on TCP 80",
  "carts to carts-db on TCP 27017",
  "front-end to session-db on TCP 6379",
];

describe("Sock Shop's own policies break exactly the edges that are known to break", () => {
  const reaches = reachOf("sock-shop");
  for (const edge of edgesOf("sock-shop"))
    test(`${nameOf(edge)} is ${BROKEN.includes(nameOf(edge)) ? "denied" : "open"}`, () => {
      expect(reaches(edge)).toBe(!BROKEN.includes(nameOf(edge)));
    });
});

describe("Sock Shop's faults are found without being told", () => {
  const ran = runPolicy(["lint", join(ROOT, "sock-shop")]);
  const said = (code: string): readonly string[] =>
    ran.out
      .split("\n")
      .filter((line) => line.endsWith(`[${code}]`))
      .map((line) => line.replace(/^.*sock-shop\//, "").replace(/ \[\w+\]$/, ""));

  test("the exit code says that something was found", () => expect(ran.code).toBe(3));
  test("cart-access selects nobody, nor do two peers", () => {
    expect(ran.out).toContain(
      "NetworkPolicy sock-shop/cart-access: It selects no workload of the input, so it does nothing.",
    );
    expect(said("SELECTOR_DEAD")).toEqual([
      "cart-access: It selects no workload of the input, so it does nothing.",
      "carts-db-access: A peer of ingress rule #1 selects no workload of the input.",
      "cortex-access: A peer of ingress rule #1 selects no workload of the input.",
    ]);
  });
  test("the likely label is named", () => expect(ran.out).toContain("Did you mean name: carts?"));
  test("cortex-access selects everything by a null", () => {
    expect(said("SELECTOR_NULL")).toEqual([
      "cortex-access: matchLabels is written but holds nothing, so this selects everything.",
    ]);
  });
  test("the default deny is an annotation that nobody reads", () => expect(said("ANNOTATION_DEAD")).toHaveLength(1));
  test("the Services that nobody may reach are named", () => {
    expect(said("SERVICE_UNREACHABLE").map((line) => line.split(/[ [/]/, 1)[0])).toEqual(
      ["carts[Deployment]", "carts-db[Deployment]", "queue-master[Deployment]", "session-db[Deployment]"].map(
        (text) => text.split("[", 1)[0],
      ),
    );
  });
});

import { expect, test } from "vitest";
import { folderWith } from "./folder.ts";
import { runPolicy } from "./run-policy.ts";

const SHOP = "test/conformance/data/apps/online-boutique/kubernetes-manifests.yaml";

/** Runs `signet policy simulate` over these lines. */
function simulated(...lines: readonly string[]) {
  const file = `${folderWith(lines.join("\n"))}/input.yaml`;
  return runPolicy(["simulate", SHOP, "--catalogue=docs/examples/online-boutique", "--flows", file]);
}

const flow = (from: string, to: string, port: string): string => JSON.stringify({ from, to, port });

test("flows that sentences open would not break", () => {
  const ran = simulated(
    flow("default/frontend", "default/cartservice", "TCP/7070"),
    flow("203.0.113.7", "default/frontend", "TCP/8080"),
  );
  expect([ran.code, ran.out]).toEqual([0, "Nothing would break of 2 flows.\n"]);
});

test("what would break is listed by the owner who could open it, once for each pair and port", () => {
  const missing = flow("default/adservice", "default/redis-cart", "TCP/6379");
  const ran = simulated(missing, missing, flow("default/adservice", "198.51.100.1", "TCP/443"));
  expect(ran.code).toBe(3);
  expect(ran.out.split("\n").map((line) => line.replaceAll(/ {2,}/g, " | ").trimEnd())).toEqual([
    "OWNER | FROM | TO | ON | FLOWS | WHY",
    expect.stringMatching(/^shop@example\.org \| .*adservice.* \| 198\.51\.100\.1 \| tcp\/443 \| 1 \| /),
    expect.stringMatching(/^shop@example\.org \| .*adservice.* \| .*redis-cart.* \| tcp\/6379 \| 2 \| /),
    "",
  ]);
});

test("a line that is no flow, or names nobody, refuses the input with its place", () => {
  const ran = simulated(flow("default/frontend", "default/cartservice", "TCP/7070"), "{", flow("x", "y", "TCP/1"));
  expect(ran.code).toBe(2);
  expect(ran.err).toMatch(/input\.yaml:2: This is no flow\. \[FIELD_INVALID\]/);
  expect(ran.err).toMatch(/input\.yaml:3: Workload x does not exist/);
});

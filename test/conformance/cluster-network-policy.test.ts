import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runPolicy } from "../cli/run-policy.ts";

type Poke = {
  readonly from: { readonly ns: string; readonly pod: string };
  readonly to: { readonly ns: string; readonly pod: string };
  readonly protocol: string;
  readonly port: number;
  readonly expect: boolean;
};
type Step = { readonly name: string; readonly actions: readonly { readonly poke?: Poke }[] };
type Expectations = {
  readonly counts: { readonly pokes: number };
  readonly tests: readonly { readonly name: string; readonly steps: readonly Step[] }[];
};

const ROOT = join(import.meta.dirname, "data/cluster-network-policy");
const FILE = join(ROOT, "expectations.json");
const EXPECTATIONS = JSON.parse(readFileSync(FILE, "utf8")) as Expectations;

const run = (...more: readonly string[]) => runPolicy(["probe", ROOT, "--expectations", FILE, ...more]);

describe("the probes of the ClusterNetworkPolicy conformance suite go as upstream expects", () => {
  const results = JSON.parse(run("--output", "json").out) as readonly { readonly allowed: boolean }[];
  let index = 0;
  for (const { name, steps } of EXPECTATIONS.tests)
    for (const step of steps)
      for (const { poke } of step.actions) {
        if (!poke) continue;
        const result = results[index];
        index += 1;
        const verb = poke.expect ? "reaches" : "does not reach";
        test(`${name}, ${step.name}: probe ${index}, ${poke.from.pod} ${verb} ${poke.to.pod} on ${poke.protocol} ${poke.port}`, () => {
          expect(result?.allowed).toBe(poke.expect);
        });
      }

  test("and none is left out", () => {
    expect([index, results.length]).toEqual([EXPECTATIONS.counts.pokes, EXPECTATIONS.counts.pokes]);
  });
  test("and the command says so in its exit code", () => {
    expect(run("--test", "CNPAdminTierPriorityField").code).toBe(0);
  });
});

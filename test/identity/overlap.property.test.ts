import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Role } from "../../src/domain/definitions.ts";
import { type LabelRequirement, type LabelSelector, selects } from "../../src/domain/label-selector.ts";
import { WORKLOAD_KINDS } from "../../src/domain/workload.ts";
import { type Bearer, misfit } from "../../src/identity/fit-role.ts";
import { readDefinitions } from "../../src/wire/definitions.ts";
import { readObjects } from "../../src/wire/objects.ts";
import { EXAMPLES } from "../wire/examples.ts";
import { canBothFit, satisfiable } from "../../src/identity/lint/overlap.ts";

/** A small alphabet, so that requirements meet. */
const key = fc.constantFrom("a", "b");
const value = fc.constantFrom("x", "y");
const values = fc.array(value, { minLength: 1, maxLength: 2 });
const requirement: fc.Arbitrary<LabelRequirement> = fc.oneof(
  fc.record({ key, operator: fc.constantFrom("In" as const, "NotIn" as const), values }),
  fc.record({ key, operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const), values: fc.constant([]) }),
);
const selector = fc.array(requirement, { maxLength: 4 });

/** Every set of labels that can make a difference: z stands for all values that no requirement names. */
const WORLDS = [undefined, "x", "y", "z"].flatMap((a) =>
  [undefined, "x", "y", "z"].map((b) => ({ ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) })),
);

const byTrial = (each: LabelSelector): boolean => WORLDS.some((labels) => selects(each, labels));

describe("whether labels can meet a selector", () => {
  test("is what trying every set of labels gives", () => {
    fc.assert(
      fc.property(selector, (each) => satisfiable(each) === byTrial(each)),
      { numRuns: 2000 },
    );
  });

  test("a planted fault is found: one that forgets NotIn", () => {
    const careless = (each: LabelSelector) => satisfiable(each.filter(({ operator }) => operator !== "NotIn"));
    const found = fc.check(
      fc.property(selector, (each) => careless(each) === byTrial(each)),
      { numRuns: 2000 },
    );
    expect(found.failed).toBe(true);
  });
});

/** A role as it is read; only its match makes a difference here. */
function plainRole(): Role {
  const text = JSON.stringify(EXAMPLES.WorkloadRole);
  const objects = readObjects([{ name: "role.json", text }]);
  const read = objects.ok ? readDefinitions(objects.value.objects) : objects;
  const [only] = read.ok ? read.value.roles : [];
  if (!only) throw new Error("the example is no role");
  return only;
}

const PLAIN = plainRole();

const role: fc.Arbitrary<Role> = fc
  .record({
    kinds: fc.subarray([...WORKLOAD_KINDS], { minLength: 1 }),
    labels: selector,
    createdBy: fc.subarray(["ann", "bob"]),
  })
  .map((match) => ({ ...PLAIN, match }));

test("two roles can both fit exactly where some workload fits both", () => {
  const bearers: readonly Bearer[] = WORKLOAD_KINDS.flatMap((kind) =>
    ["ann", "bob", "eve"].flatMap((creator) =>
      WORLDS.map((labels) => ({
        kind,
        creator,
        labels,
        namespace: "n",
        serviceAccount: "a",
        annotations: {},
        metadataPath: "metadata",
      })),
    ),
  );
  fc.assert(
    fc.property(role, role, (a, b) => {
      const some = bearers.some((bearer) => misfit(a, bearer) === undefined && misfit(b, bearer) === undefined);
      expect(canBothFit(a, b)).toBe(some);
    }),
    { numRuns: 500 },
  );
});

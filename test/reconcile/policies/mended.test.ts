import { expect, test } from "vitest";
import { closingMarked } from "../../../src/policy/compile/network-policy.ts";
import type { Write } from "../../../src/reconcile/policies/order.ts";
import { mendedBy } from "../../../src/reconcile/policies/plan.ts";

test("what was edited is mended where it was written, and all that is meant may be", () => {
  const [one, two] = ["pay", "shop"].map((namespace) => closingMarked(namespace, []));
  if (!one || !two) throw new Error("two objects");
  const edited = [one, two];
  const writes: readonly Write[] = [{ verb: "apply", object: closingMarked("pay", []), why: "mend" }];
  expect([...mendedBy({ edited, whole: true }, writes)]).toEqual([one]);
  expect([...mendedBy({ edited, whole: false }, writes)]).toEqual([]);
});

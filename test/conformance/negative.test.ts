import { describe, expect, test } from "vitest";
import { runPolicy } from "../cli/run-policy.ts";
import { argumentsOf, manifests, NEGATIVE, type Negative } from "./netpol-analyzer-data.ts";

const run = (one: Negative) => runPolicy(["connectivity", manifests(one.dir), ...argumentsOf(one)]);

describe("what np-guard refuses is refused, with file, object and field", () => {
  for (const one of NEGATIVE.mustFail)
    test(one.case, () => {
      const ran = run(one);
      expect({ code: ran.code, out: ran.out }).toEqual({ code: 2, out: "" });
      expect(ran.err).toMatch(/^signet: \S+\.ya?ml:\d+:\d+: (?:\S+: )?\w*(?:Policy|Network) \S+/m);
    });
});

/** Texts that ours words differently. */
const OURS: Readonly<Record<string, string>> = {
  "unrecognized type": "This must be a whole number, not a list.",
  "cannot restore slice from map": "This must be a list, not a map.",
};

describe("what np-guard warns of is warned of, and answered", () => {
  for (const one of NEGATIVE.mustWarnButContinue)
    test(one.case, () => {
      const ran = run(one);
      expect(ran.code).toBe(0);
      for (const text of one.errorContains) expect(ran.err).toContain(OURS[text] ?? text);
      expect(ran.out === "").toBe(one.resultEmpty ?? false);
    });
});

import { describe, expect, test } from "vitest";
import { runPolicy } from "../cli/run-policy.ts";
import { expectedText, INDEX, linesOf, manifests } from "./netpol-analyzer-data.ts";

const FORMATS = { ".txt": "conformance", ".csv": "csv" } as const;

describe("the difference of two folders agrees with np-guard's, line by line", () => {
  for (const { ref1, ref2, expected } of INDEX.diffs)
    for (const [ending, format] of Object.entries(FORMATS))
      for (const file of expected.filter((name) => name.endsWith(ending)))
        test(`${ref1} to ${ref2} as ${format}`, () => {
          const ran = runPolicy(["diff", manifests(ref1), manifests(ref2), "--output", format]);
          expect(linesOf(ran.out)).toEqual(linesOf(expectedText(file)));
          expect(ran.code).toBe(1);
        });
});

describe("a folder does not differ from itself", () => {
  test("onlineboutique_workloads", () => {
    const dir = manifests("onlineboutique_workloads");
    const ran = runPolicy(["diff", dir, dir]);
    expect({ out: ran.out, code: ran.code }).toEqual({
      out: "No difference: both allow the same connections.\n",
      code: 0,
    });
  });
});

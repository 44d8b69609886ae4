import { describe, expect, test } from "vitest";
import { runPolicy } from "../cli/run-policy.ts";
import { argumentsOf, expectedText, INDEX, manifests, optionsText } from "./netpol-analyzer-data.ts";

/** Lines that say something, in their order. */
const spoken = (text: string): readonly string[] =>
  text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");

describe("the reasons agree with np-guard's: which policy and which rule decide, for which ports", () => {
  for (const one of INDEX.cases.filter(({ mode }) => mode === "explain"))
    for (const file of one.expected)
      test(`${one.dir} ${optionsText(one.options)}`, () => {
        const ran = runPolicy(["connectivity", manifests(one.dir), "--explain", ...argumentsOf(one.options)]);
        expect(spoken(ran.out)).toEqual(spoken(expectedText(file)));
      });
});

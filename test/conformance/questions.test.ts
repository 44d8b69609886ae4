import { describe, expect, test } from "vitest";
import { runPolicy } from "../cli/run-policy.ts";
import { expectedText, INDEX, linesOf, manifests } from "./netpol-analyzer-data.ts";

describe("single questions get np-guard's answer", () => {
  for (const one of INDEX.evalTuples)
    test(`${one.dir}: ${one.from} ${one.allowed ? "reaches" : "does not reach"} ${one.to} on ${one.protocol} ${one.port}`, () => {
      const networks = one.multipleNetworks ? ["--multiple-networks"] : [];
      const ran = runPolicy([
        "allows",
        manifests(one.dir),
        one.from,
        one.to,
        `${one.protocol}/${one.port}`,
        ...networks,
      ]);
      expect(ran.code).toBe(one.allowed ? 0 : 3);
      expect(ran.out.split(":", 1)[0]).toBe(one.allowed ? "allowed" : "denied");
    });
});

describe("the matrix of Pods agrees with np-guard's", () => {
  for (const one of INDEX.cases.filter(({ mode }) => mode === "eval-matrix"))
    for (const file of one.expected)
      test(one.dir, () => {
        expect(linesOf(runPolicy(["matrix", manifests(one.dir), "TCP/80"]).out)).toEqual(linesOf(expectedText(file)));
      });
});

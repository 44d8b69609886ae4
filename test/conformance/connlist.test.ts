import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { runPolicy } from "../cli/run-policy.ts";
import {
  argumentsOf,
  type Case,
  expectedText,
  INDEX,
  linesOf,
  manifests,
  optionsText,
} from "./netpol-analyzer-data.ts";

const CASES = INDEX.cases.filter(({ mode }) => mode === "connlist");
const connectivity = (one: Case, ...more: readonly string[]) =>
  runPolicy(["connectivity", manifests(one.dir), ...argumentsOf(one.options), ...more]);

describe("the connectivity list agrees with np-guard's, line by line", () => {
  for (const one of CASES)
    for (const file of one.expected.filter((name) => name.endsWith(".txt")))
      test(`${one.dir} ${optionsText(one.options)}`, () => {
        const ran = connectivity(one);
        expect(ran.code).toBe(0);
        expect(linesOf(ran.out)).toEqual(linesOf(expectedText(file)));
      });
});

describe("the connectivity list as JSON agrees with np-guard's", () => {
  for (const one of CASES)
    for (const file of one.expected.filter((name) => name.endsWith(".json")))
      test(`${one.dir} ${optionsText(one.options)}`, () => {
        const rows = JSON.parse(connectivity(one, "--output", "json").out) as readonly Record<string, string>[];
        const ours = rows.map(({ src, dst, conn }) => JSON.stringify({ src, dst, conn })).sort();
        const theirs = (JSON.parse(expectedText(file)) as readonly object[]).map((row) => JSON.stringify(row)).sort();
        expect(ours).toEqual(theirs);
      });
});

describe("a list that is too long to ship agrees by digest", () => {
  for (const { omitted, ...one } of CASES.filter((row) => row.omitted))
    test(one.dir, () => {
      const lines = linesOf(connectivity(one).out);
      expect(lines).toHaveLength(omitted?.lines ?? 0);
      const digest = createHash("sha256").update(lines.join("\n")).digest("hex");
      expect(digest).toBe(omitted?.sha256OfLinesSortedJoinedByNewline);
    });
});

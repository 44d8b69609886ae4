import { describe, expect, test } from "vitest";
import { runPolicy } from "../cli/run-policy.ts";
import { argumentsOf, type Case, expectedText, INDEX, manifests, optionsText } from "./netpol-analyzer-data.ts";

/** Lines that say something, in their order; upstream pads names with blanks. */
const spoken = (text: string): readonly string[] =>
  text
    .split("\n")
    .map((line) => line.trim().replace(/ {2,}/g, " "))
    .filter((line) => line !== "");

const run = (one: Case, ...more: readonly string[]) =>
  runPolicy(["connectivity", manifests(one.dir), "--exposure", ...argumentsOf(one.options), ...more]);

describe("exposure to Pods beyond the input agrees with np-guard's", () => {
  for (const one of INDEX.cases.filter(({ mode }) => mode === "exposure"))
    for (const file of one.expected)
      test(`${one.dir} ${optionsText(one.options)} as ${file.endsWith(".json") ? "json" : "text"}`, () => {
        if (file.endsWith(".json"))
          expect(JSON.parse(run(one, "--output", "json").out)).toEqual(JSON.parse(expectedText(file)));
        else expect(spoken(run(one).out)).toEqual(spoken(expectedText(file)));
      });
});

/**
 * Upstream's text leaves the reason out where a NetworkPolicy without any rule denies what an AdminNetworkPolicy did not
 * decide, and the line above it that says which door denies; ours gives both.
 */
const LEFT_OUT_UPSTREAM: Readonly<Record<string, readonly string[]>> = {
  exposure_test_with_anp_4_entire_cluster_example: [
    "NetworkPolicy 'hello-world/deny-all-app-a' selects hello-world/workload-a[Deployment], but hello-world/workload-b[Deployment] is not allowed by any Egress rule (no rules defined)",
    "NetworkPolicy 'hello-world/deny-all-app-a' selects hello-world/workload-a[Deployment], but hello-world/workload-b[Deployment] is not allowed by any Ingress rule (no rules defined)",
  ],
};

describe("reasons with exposure agree with np-guard's", () => {
  for (const one of INDEX.cases.filter(({ mode }) => mode === "explain+exposure"))
    for (const file of one.expected)
      test(`${one.dir} ${optionsText(one.options)}`, () => {
        const more = LEFT_OUT_UPSTREAM[one.dir] ?? [];
        const ours = spoken(run(one, "--explain").out);
        expect(more.filter((line) => !ours.includes(line))).toEqual([]);
        const rest = ours.filter((line, index) => !more.includes(line) && !more.includes(ours[index + 1] ?? ""));
        expect(rest).toEqual(spoken(expectedText(file)));
      });
});

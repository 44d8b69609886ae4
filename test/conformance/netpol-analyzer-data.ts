import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "data/netpol-analyzer");

/** Options of a case, under the names of the data's README. */
export type CaseOptions = {
  readonly multipleNetworks?: boolean;
  readonly focusWorkloads?: readonly string[];
  readonly focusWorkloadPeers?: readonly string[];
  readonly focusDirection?: string;
  readonly focusConn?: string;
  readonly explainOnly?: string;
};

/** One row of cases.json. */
export type Case = {
  readonly dir: string;
  readonly mode: string;
  readonly options: CaseOptions;
  readonly expected: readonly string[];
  readonly omitted?: { readonly lines: number; readonly sha256OfLinesSortedJoinedByNewline: string };
};

type Index = {
  readonly cases: readonly Case[];
  readonly diffs: readonly { readonly ref1: string; readonly ref2: string; readonly expected: readonly string[] }[];
  readonly evalTuples: readonly EvalTuple[];
};

/** A single question with its answer. */
type EvalTuple = {
  readonly dir: string;
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  readonly port: number;
  readonly allowed: boolean;
  readonly multipleNetworks?: boolean;
};

/** A row of negative.json. */
export type Negative = {
  readonly dir: string;
  readonly errorContains: readonly string[];
  readonly case: string;
  readonly resultEmpty?: boolean;
  readonly multipleNetworks?: boolean;
  readonly focusWorkloads?: readonly string[];
};

const read = (name: string): string => readFileSync(join(ROOT, name), "utf8");

/** The index of cases that must give an answer. */
export const INDEX = JSON.parse(read("cases.json")) as Index;
/** The index of inputs that must be refused, or answered with a warning. */
export const NEGATIVE = JSON.parse(read("negative.json")) as {
  readonly mustFail: readonly Negative[];
  readonly mustWarnButContinue: readonly Negative[];
};

/** The path of an input directory or file. */
export const manifests = (dir: string): string => join(ROOT, "manifests", dir);
/** The text of an expected file. */
export const expectedText = read;

/** A case's options as arguments of the command line. */
export const argumentsOf = (options: CaseOptions): readonly string[] => [
  ...(options.multipleNetworks ? ["--multiple-networks"] : []),
  ...(options.focusWorkloads ?? []).flatMap((name) => ["--focus-workload", name]),
  ...(options.focusWorkloadPeers ?? []).flatMap((name) => ["--focus-peer", name]),
  ...(options.focusDirection ? ["--focus-direction", options.focusDirection] : []),
  ...(options.focusConn ? ["--focus-conn", options.focusConn] : []),
  ...(options.explainOnly ? ["--explain-only", options.explainOnly] : []),
];

/** The options in a test's name. */
export const optionsText = (options: CaseOptions): string => argumentsOf(options).join(" ");

/** Lines that say something, sorted; upstream compares so. */
export const linesOf = (text: string): readonly string[] =>
  text
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .sort();

import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** What every bench prints, on one line. Null where a target has no floor. */
export type Figures = {
  readonly name: string;
  readonly size: number;
  readonly opsPerSec: number | null;
  readonly floorOpsPerSec: number | null;
  readonly ratio: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly rssMb: number | null;
  readonly cpuSecPer1000: number | null;
  readonly machine: { readonly cores: number; readonly cpu: string; readonly node: string };
  readonly readyMs?: number;
  readonly floorMs?: number;
  /** Everything once, in milliseconds. */
  readonly fullMs?: number;
  readonly p99Us?: number;
  /** The floor's own, and an equal pair of in-process policies. */
  readonly floorCpuSecPer1000?: number;
  readonly celOpsPerSec?: number;
  readonly overCel?: number;
  /** What came of Pods that were created under fire. */
  readonly missed?: number;
  readonly wronglyAdmitted?: number;
  readonly killed?: number;
  /** The same through another door. */
  readonly grpc?: Pick<
    Figures,
    "opsPerSec" | "floorOpsPerSec" | "ratio" | "p50Ms" | "p99Ms" | "rssMb" | "cpuSecPer1000"
  >;
  /** Costs at growing sizes. */
  readonly growth?: readonly object[];
};

/** The machine that a figure was taken on. */
export const machine = (): Figures["machine"] => ({
  cores: cpus().length,
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  node: process.version,
});

const TICKS_PER_SECOND = 100;

/** CPU seconds that a process and its threads have taken, user and system (proc(5), fields 14 and 15). */
export function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The most resident memory that a process ever had, in MB. */
export function peakMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024);
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The value that a share of all lies below. */
export const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/** Two decimals, for people. */
export const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

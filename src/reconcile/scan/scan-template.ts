import type { Scan, Scanned } from "./scan.ts";

/**
 * Takes a template, or a machine that may run or not, into a scan. It runs nothing itself, so that it counts for no segment;
 * and what stands in a machine's own metadata is renewed with its next change and says nothing of what starts.
 */
export function scanTemplate(scan: Scan, { object, judgement }: Omit<Scanned, "besides" | "runs">): void {
  const findings = judgement.findings.filter(
    ({ problem: { code, path } }) => code !== "STAMP_OVERWRITTEN" || !path.startsWith("metadata."),
  );
  scan.look({ object, judgement: { ...judgement, findings }, runs: false });
}

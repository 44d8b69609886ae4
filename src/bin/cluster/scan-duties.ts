import type { LiveCatalogue } from "../../kube/catalogue.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Term } from "../../kube/lease.ts";
import type { Log } from "../../kube/log.ts";
import type { Scan } from "../../reconcile/scan/scan.ts";
import { FallbackWatch } from "../../reconcile/stages/fallback.ts";
import { watchFallbacks } from "./fallbacks.ts";
import { ReportKeeper } from "./reports/report-keeper.ts";

type Means = { readonly client: KubeClient; readonly log: Log; readonly live: () => LiveCatalogue };

/** What is done with the scan of what runs: reports of it, and a watchdog over segments in force. */
export function scanDuties(
  means: Means,
  term: Term,
  scan: Scan,
): readonly (readonly [name: string, run: () => Promise<void>])[] {
  const reports = new ReportKeeper({ ...means, now: Date.now });
  const fallbacks = new FallbackWatch();
  return [
    ["reports", () => reports.tend(term, scan)],
    ["fallbacks", () => watchFallbacks(means, term, fallbacks, scan)],
  ];
}

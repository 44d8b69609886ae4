import { problemLine } from "../../domain/problem.ts";
import type { LiveCatalogue } from "../../kube/catalogue.ts";
import { CATALOGUE_WATCHES } from "../../kube/catalogue.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Term } from "../../kube/lease.ts";
import type { Log } from "../../kube/log.ts";
import type { Scan } from "../../reconcile/scan/scan.ts";
import type { FallbackWatch } from "../../reconcile/stages/fallback.ts";

type Means = { readonly client: Pick<KubeClient, "patch">; readonly log: Log; readonly live: () => LiveCatalogue };

const SEGMENTS = CATALOGUE_WATCHES.find(({ resource }) => resource.kind === "Segment")?.resource;

/** Lets segments fall back that would keep more than half of what runs from starting again. */
export async function watchFallbacks({ client, log, live }: Means, term: Term, watch: FallbackWatch, scan: Scan) {
  const catalogue = live().current();
  if (!catalogue || !SEGMENTS) return;
  for (const { segment, patch, why } of watch.decide(catalogue.definitions.segments, scan.bySegment(), Date.now())) {
    if (!term.valid()) return;
    const done = await client.patch(
      SEGMENTS,
      { name: segment },
      { type: "json", body: patch },
      { subresource: "status" },
    );
    if (done.ok) log.warn({ segment, why }, "A segment fell back to observe.");
    else log.debug({ segment, reason: done.problems.map(problemLine) }, "A segment could not fall back.");
  }
}

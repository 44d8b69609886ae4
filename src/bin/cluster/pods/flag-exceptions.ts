import { problemLine } from "../../../domain/problem.ts";
import { CATALOGUE_WATCHES, type LiveCatalogue } from "../../../kube/catalogue.ts";
import type { KubeClient } from "../../../kube/client.ts";
import type { Term } from "../../../kube/lease.ts";
import type { Log } from "../../../kube/log.ts";
import type { EndedException } from "../../../reconcile/pods/ended-exceptions.ts";
import { decideFlags } from "../../../reconcile/pods/flag-exceptions.ts";

type Means = {
  readonly client: Pick<KubeClient, "patch">;
  readonly log: Log;
  readonly live: () => Pick<LiveCatalogue, "objects">;
};

const KIND = "SegmentException";

/** Writes on exceptions which Pods outlived them. One that changed since it was seen is left for the next round. */
export async function flagExceptions(
  { client, log, live }: Means,
  ended: readonly EndedException[],
  term: Term,
): Promise<void> {
  const resource = CATALOGUE_WATCHES.find((watch) => watch.resource.kind === KIND)?.resource;
  if (!resource) throw new TypeError(`${KIND} is not watched`);
  const exceptions = live()
    .objects()
    .filter(({ kind }) => kind === KIND);
  for (const { object, why, patch } of decideFlags(exceptions, ended, Date.now())) {
    if (!term.valid()) return;
    const { namespace, name } = object;
    const done = await client.patch(
      resource,
      { namespace, name },
      { type: "json", body: patch },
      { subresource: "status" },
    );
    if (done.ok) log.info({ namespace, exception: name, why }, "An exception says who outlived it.");
    else log.debug({ namespace, exception: name, reason: done.problems.map(problemLine) }, "A status was not written.");
  }
}

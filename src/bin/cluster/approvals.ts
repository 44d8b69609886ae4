import type { Catalogue } from "../../domain/catalogue.ts";
import { problemLine } from "../../domain/problem.ts";
import type { LiveCatalogue } from "../../kube/catalogue.ts";
import { CATALOGUE_WATCHES } from "../../kube/catalogue.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Term } from "../../kube/lease.ts";
import type { Log } from "../../kube/log.ts";
import type { Resource } from "../../kube/resources.ts";
import type { EventAction } from "../../reconcile/events.ts";
import { type ApprovalAction, decideApprovals } from "../../reconcile/approvals/decide.ts";

type Means = {
  readonly client: KubeClient;
  readonly log: Log;
  readonly live: () => LiveCatalogue;
  readonly events: { readonly emit: (event: EventAction) => void };
};

/** Records what is approved by now. An object that changed since it was seen is left for the next round. */
export async function recordApprovals({ client, log, live, events }: Means, term: Term): Promise<void> {
  const catalogue: Catalogue | undefined = live().current();
  if (!catalogue) return;
  const snapshot = { objects: live().objects(), definitions: catalogue.definitions };
  for (const action of decideApprovals(snapshot, Date.now())) {
    if (!term.valid()) return;
    if ((await perform(client, log, action)) && action.event) events.emit(action.event);
  }
}

async function perform(client: KubeClient, log: Log, action: ApprovalAction): Promise<boolean> {
  const { kind, namespace, name } = action.object;
  const target = namespace === "" ? { name } : { namespace, name };
  const patch = { type: "json", body: action.patch } as const;
  const done = await client.patch(resourceOf(kind), target, patch, { subresource: "status" });
  if (done.ok) log.info({ kind, namespace, name, did: action.do, why: action.why }, "A status was written.");
  else log.debug({ kind, namespace, name, reason: done.problems.map(problemLine) }, "A status was not written.");
  return done.ok;
}

function resourceOf(kind: string): Resource {
  const found = CATALOGUE_WATCHES.find(({ resource }) => resource.kind === kind);
  if (!found) throw new TypeError(`${kind} is not watched`);
  return found.resource;
}

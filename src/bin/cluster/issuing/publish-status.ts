import { hash } from "node:crypto";
import type { Authorities } from "../../../ca/authority-keeper.ts";
import { problemLine } from "../../../domain/problem.ts";
import { CATALOGUE_WATCHES, type LiveCatalogue } from "../../../kube/catalogue.ts";
import type { KubeClient } from "../../../kube/client.ts";
import type { Log } from "../../../kube/log.ts";
import { trustDomainPatch } from "../../../reconcile/authority/trust-domain-status.ts";
import type { AuthorityStatus } from "../../../wire/authority-status.ts";

type Means = { readonly client: Pick<KubeClient, "patch">; readonly log: Log; readonly live: () => LiveCatalogue };

const TRUST_DOMAINS = CATALOGUE_WATCHES.find(({ resource }) => resource.kind === "TrustDomain")?.resource;
const LOCAL = "local";

/** Writes where the authorities stand on the TrustDomain. One that changed since it was seen is left for the next round. */
export async function publishStatus(
  { client, log, live }: Means,
  status: AuthorityStatus | undefined,
  { bundle }: Pick<Authorities, "bundle">,
): Promise<void> {
  const object = live()
    .objects()
    .find(({ kind, name }) => kind === "TrustDomain" && name === LOCAL);
  if (!status || !object || !TRUST_DOMAINS) return;
  const fingerprints = bundle.roots.map(({ der }) => hash("sha256", der));
  const patch = trustDomainPatch(object.raw, status, { sequence: bundle.sequence, fingerprints }, Date.now());
  if (!patch) return;
  const done = await client.patch(
    TRUST_DOMAINS,
    { name: LOCAL },
    { type: "json", body: patch },
    { subresource: "status" },
  );
  if (!done.ok) log.debug({ reason: done.problems.map(problemLine) }, "A status was not written.");
}

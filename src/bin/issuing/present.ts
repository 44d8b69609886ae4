import type { Catalogue } from "../../domain/catalogue.ts";
import type { ExternalWorkload } from "../../domain/definitions.ts";
import type { Bearer } from "../../identity/fit-role.ts";
import { machineOf, type Whereabouts } from "../../identity/restricted.ts";
import type { PodFacts } from "../../wire/pod-facts.ts";

/** A workload that is there: who it is for the ledger, what its identity follows from, and where it runs. */
export type Present = {
  readonly caller: string;
  /** `Pod shop/cart-1`. */
  readonly subject: string;
  readonly bearer: Bearer;
  readonly whereabouts: Whereabouts;
};

/** A live Pod; one that has ended is not there. */
export const presentPod = (facts: PodFacts): Present | undefined =>
  facts.phase === "Succeeded" || facts.phase === "Failed" ? undefined : knownPod(facts);

/** A Pod that the API server knows, whether it runs or has ended. */
export function knownPod({ uid, workload, nodeName }: PodFacts): Present {
  const { namespace, name } = workload.object;
  return {
    caller: `system:serviceaccount:${namespace}:${workload.serviceAccount}`,
    subject: `Pod ${namespace}/${name}`,
    bearer: workload,
    whereabouts: {
      pod: { namespace, name, uid },
      ...machineOf(workload),
      ...(nodeName === "" ? {} : { node: { name: nodeName } }),
    },
  };
}

/** Machines and functions of the catalogue that hold an account's identity. */
export const presentExternals = (catalogue: Catalogue, namespace: string, serviceAccount: string): readonly Present[] =>
  catalogue.definitions.externalWorkloads
    .filter((each) => each.namespace === namespace && each.serviceAccount === serviceAccount)
    .map(presentExternal);

/** A machine or a function, as its definition says. */
export const presentExternal = ({ kind, namespace, name, serviceAccount, labels }: ExternalWorkload): Present => ({
  caller: `externalworkload:${namespace}/${name}`,
  subject: `${kind} ${namespace}/${name}`,
  bearer: { kind, namespace, serviceAccount, labels, annotations: {}, metadataPath: "metadata" },
  whereabouts: {},
});

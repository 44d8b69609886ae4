import type { KubeClient } from "../../../kube/client.ts";
import { liveObject } from "../../../kube/live-object.ts";
import type { AccountPods } from "./account-pods.ts";
import { uidOf } from "../../../kube/object-cache.ts";
import { isNamed, NODES, PODS, SERVICE_ACCOUNTS } from "../../../kube/signer-watches.ts";
import { Reflector, type WatchMeans, type WatchTable } from "../../../kube/watch.ts";
import type { LiveObjects } from "../../../reconcile/certificates/decide.ts";
import type { PodCertificateAsk } from "../../../wire/pod-certificate.ts";
import { readPodFacts } from "../../../wire/pod-facts.ts";
import type { Raw } from "../../../wire/read-object.ts";

/** What the API server holds of those whom requests name. */
export type Witness = {
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  /** From the watched copies: enough to say yes. */
  readonly seen: (ask: PodCertificateAsk) => LiveObjects;
  /** From the API server itself: a denial is final, and a copy may be late. Throws where it cannot be asked. */
  readonly ask: (ask: PodCertificateAsk) => Promise<LiveObjects>;
};

/** Watches service accounts and nodes; Pods are watched already. */
export function makeWitness(
  means: WatchMeans,
  client: Pick<KubeClient, "get">,
  pods: Pick<AccountPods, "get">,
): Witness {
  const watched = (table: WatchTable) => new Reflector(table, means, { changed: () => undefined });
  const [accounts, nodes] = [watched(SERVICE_ACCOUNTS), watched(NODES)];
  const all = [accounts, nodes];
  return {
    start: () => {
      for (const each of all) each.start();
    },
    stop: async () => void (await Promise.all(all.map((each) => each.stop()))),
    seen: ({ namespace, pod, serviceAccount, node }) => {
      const held = (object: Raw | undefined, name: string, within?: string): Raw | undefined =>
        isNamed(object, name, within) ? object : undefined;
      return liveObjects(
        held(pods.get(pod.uid), pod.name, namespace),
        held(accounts.objects.get(serviceAccount.uid), serviceAccount.name, namespace),
        held(nodes.objects.get(node.uid), node.name),
      );
    },
    ask: async ({ namespace, pod, serviceAccount, node }) => {
      const read = async ({ resource }: WatchTable, name: string, within?: string): Promise<Raw | undefined> => {
        const found = await client.get(resource, { name, ...(within === undefined ? {} : { namespace: within }) });
        if (found.ok) return found.value;
        if (found.problems[0]?.code === "NOT_FOUND") return undefined;
        throw new Error(found.problems[0]?.message ?? "no reason");
      };
      const found = [
        read(PODS, pod.name, namespace),
        read(SERVICE_ACCOUNTS, serviceAccount.name, namespace),
        read(NODES, node.name),
      ] as const;
      return liveObjects(...(await Promise.all(found)));
    },
  };
}

/** A Pod that cannot be read is as good as none: nobody is signed for who is not known. */
function liveObjects(pod: Raw | undefined, account: Raw | undefined, node: Raw | undefined): LiveObjects {
  const facts = pod && readPodFacts(liveObject(pod));
  return {
    ...(facts?.ok ? { pod: facts.value } : {}),
    ...(account ? { serviceAccount: uidOf(account) } : {}),
    ...(node ? { node: uidOf(node) } : {}),
  };
}

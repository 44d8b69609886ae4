import type { IssueParts } from "../../../ca/issue.ts";
import type { KubeClient } from "../../../kube/client.ts";
import { sleep } from "../../../kube/clock.ts";
import { reasonOf } from "../../../kube/log.ts";
import { reviewOwnAccess } from "../../../kube/reviews.ts";
import { podCertificateVersion } from "../../../kube/signer-watches.ts";
import type { WatchMeans } from "../../../kube/watch.ts";
import { SIGNER_NAME } from "../../../wire/workloads/escapes.ts";
import type { AccountPods } from "../signer/account-pods.ts";
import { runSigner, type Signer, type SignerMeans } from "../signer/signer.ts";

/** What the switch needs to run a signer. */
export type SwitchMeans = WatchMeans & {
  readonly client: KubeClient;
  readonly pods: Pick<AccountPods, "get">;
  readonly walk: IssueParts;
  readonly first: () => boolean;
  readonly told: SignerMeans["told"];
  readonly events: SignerMeans["events"];
};

/** The signer of Pods' certificates, on as soon as the cluster lets it be. */
export type SignerSwitch = {
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  readonly on: () => boolean;
  readonly hurry: () => void;
  /** Requests that wait for us. */
  readonly pending: () => number;
};

/** How often it is asked again whether the right to sign was granted. */
const AGAIN_MS = 5_000;
const SIGNING = { verb: "sign", group: "certificates.k8s.io", resource: "signers", name: SIGNER_NAME } as const;

/**
 * The manifests' component `signer` is the switch: it grants the right to sign, and whoever takes it away takes the signer.
 * Without PodCertificateRequests on the server there is nothing to sign.
 */
export function switchSigner(means: SwitchMeans): SignerSwitch {
  const ended = new AbortController();
  let signer: Signer | undefined;
  const seek = async (): Promise<void> => {
    while (!ended.signal.aborted && !signer) {
      const version = await allowedVersion(means);
      if (version !== undefined && !ended.signal.aborted) {
        signer = runSigner({ ...means, version });
        means.log.info({ version }, "Certificates are issued to kubelets.");
      } else await sleep(means.clock, AGAIN_MS, ended.signal);
    }
  };
  return {
    start: () => void seek(),
    stop: async () => {
      ended.abort();
      await signer?.stop();
    },
    on: () => signer !== undefined,
    hurry: () => signer?.hurry(),
    pending: () => signer?.pending() ?? 0,
  };
}

async function allowedVersion({ client, log }: SwitchMeans): Promise<string | undefined> {
  try {
    return (await reviewOwnAccess(client, SIGNING)) ? await podCertificateVersion(client) : undefined;
  } catch (fault) {
    log.warn(
      { reason: reasonOf(fault) },
      "It could not be asked whether certificates may be signed; it is asked again.",
    );
    return undefined;
  }
}

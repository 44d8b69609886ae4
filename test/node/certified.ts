import { randomBytes } from "node:crypto";
import { certificatesPem } from "../../src/ca/pem.ts";
import { AccountPods } from "../../src/bin/cluster/signer/account-pods.ts";
import { runSigner } from "../../src/bin/cluster/signer/signer.ts";
import { makeKubeClient } from "../../src/kube/client.ts";
import { systemClock } from "../../src/kube/clock.ts";
import { readClusterAccess } from "../../src/kube/config.ts";
import { makeConnection } from "../../src/kube/connection.ts";
import { podCertificateVersion } from "../../src/kube/signer-watches.ts";
import { decideTrustBundles } from "../../src/reconcile/certificates/trust-bundles.ts";
import { accepted } from "../cluster/accepted.ts";
import type { Cluster } from "../cluster/boot.ts";
import { PROFILES, type testAuthority } from "../fakes/ca.ts";
import { catalogueOf, must } from "../fakes/judging.ts";
import { quietLog } from "../fakes/quiet-log.ts";

/** An authority that can issue. */
export type TestAuthority = Awaited<ReturnType<typeof testAuthority>>;

/** Signet's signer beside a cluster, whose authority a test can change. */
export type RunningSigner = {
  readonly issueBy: (authority: TestAuthority) => void;
  /** Publishes these roots, and nothing else, as the trust domain's bundle. */
  readonly trust: (authorities: readonly TestAuthority[]) => Promise<void>;
  readonly stop: () => Promise<void>;
};

const BUNDLES = {
  group: "certificates.k8s.io",
  version: "v1",
  plural: "clustertrustbundles",
  kind: "ClusterTrustBundle",
  namespaced: false,
};

/** Runs the signer over definitions in YAML. */
export async function startSigner(cluster: Cluster, yaml: string, first: TestAuthority): Promise<RunningSigner> {
  const access = must(await readClusterAccess({ env: { KUBECONFIG: cluster.kubeconfigPath } }));
  const connection = makeConnection(access, { clock: systemClock });
  const client = makeKubeClient(connection);
  const catalogue = catalogueOf(yaml);
  let current = first;
  const means = { connection, clock: systemClock, random: Math.random, log: quietLog };
  const pods = new AccountPods(means);
  pods.start();
  const signer = runSigner({
    ...means,
    client,
    pods,
    version: (await podCertificateVersion(client)) ?? "",
    first: () => true,
    reporter: { controller: "signet.dev/signer", instance: "test" },
    told: () => undefined,
    walk: {
      lookup: () => ({ catalogue, issuer: current.issuer, profiles: PROFILES }),
      record: () => Promise.resolve(),
      now: Date.now,
      random: randomBytes,
    },
  });
  return {
    issueBy: (authority) => {
      current = authority;
    },
    trust: async (authorities) => {
      const own = certificatesPem(authorities.map(({ root }) => root.der));
      const present = must(await client.list(BUNDLES)).items;
      for (const action of decideTrustBundles({ own, foreign: new Map(), version: "v1" }, present)) {
        if (action.do !== "applyTrustBundle") continue;
        const path = "/apis/certificates.k8s.io/v1/clustertrustbundles/signet.dev:svid:bundle";
        const contentType = "application/apply-patch+yaml";
        await accepted(cluster, "PATCH", `${path}?fieldManager=signet&force=true`, {
          body: action.object,
          contentType,
        });
      }
    },
    stop: async () => {
      await signer.stop();
      await pods.stop();
      connection.close();
    },
  };
}

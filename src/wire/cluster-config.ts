import type { Static } from "typebox";
import type { Cidr } from "../domain/cidr.ts";
import { millis } from "./config-duration.ts";
import { duration, fields, optional, setOf, text } from "./kinds/fields.ts";
import { POD_NETWORKS, podNetworksIn } from "./pod-networks.ts";

/** The part of the server's configuration that counts in a cluster. */
export const CLUSTER_CONFIG = fields("How the server works in a cluster; counts with `mode: cluster` only.", {
  kubeconfig: optional(
    text("Path of a kubeconfig; left out: KUBECONFIG, or the account of the Pod that it runs in.", 4096),
  ),
  leafLifetime: optional(duration("How long a serving certificate lives, at most 24h. Default 24h.")),
  authorityLifetime: optional(
    duration("How long the authority of serving certificates lives; the next takes over at half of it. Default 8760h."),
  ),
  virtControllers: optional(
    setOf(
      "User names of KubeVirt's virt-controller: who may create launchers. Left out: nobody.",
      text("A user name.", 512),
      8,
      { minItems: 1 },
    ),
  ),
  certificateFolder: optional(
    text(
      "Folder with tls.crt, tls.key and ca.crt that somebody else keeps and renews, as cert-manager does; caBundle is then theirs too. Left out: Signet keeps an authority of its own.",
      4096,
    ),
  ),
  podNetworks: optional(POD_NETWORKS),
  settle: optional(duration("How long every API server may take to see a changed webhook configuration. Default 30s.")),
});

/** What counts in cluster mode. Times in milliseconds. */
export type ClusterConfig = {
  readonly kubeconfig?: string;
  readonly leafMs: number;
  readonly authorityMs: number;
  readonly settleMs: number;
  /** Whose Pods may be launchers. */
  readonly virtControllers: readonly string[];
  /** Addresses that Pods have, beside those that nodes name. */
  readonly podNetworks: readonly Cidr[];
  /** Where somebody else keeps the serving certificate; absent: Signet does. */
  readonly certificateFolder?: string;
};

type Flags = {
  readonly kubeconfig?: string;
  readonly virtController?: readonly string[];
  readonly certificateFolder?: string;
};

const HOUR_MS = 3_600_000;

/** A leaf lives a day at most: its end is what an old authority is kept for. */
export function clusterConfig(written: Static<typeof CLUSTER_CONFIG>, flags: Flags): ClusterConfig {
  const kubeconfig = flags.kubeconfig ?? written.kubeconfig;
  const certificateFolder = flags.certificateFolder ?? written.certificateFolder;
  return Object.freeze({
    leafMs: Math.min(millis(written.leafLifetime, 24 * HOUR_MS), 24 * HOUR_MS),
    authorityMs: millis(written.authorityLifetime, 8760 * HOUR_MS),
    settleMs: millis(written.settle, 30_000),
    virtControllers: flags.virtController ?? written.virtControllers ?? [],
    podNetworks: podNetworksIn(written.podNetworks),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    ...(certificateFolder === undefined ? {} : { certificateFolder }),
  });
}

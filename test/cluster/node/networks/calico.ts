import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { applyCrds } from "./crds.ts";
import { applyObject, type Network, type NodeAccess } from "./network.ts";
import { NODE } from "../place.ts";

/** The addresses of Pods under the judges. */
export const JUDGED_POD_NETWORK = "10.99.0.0/16";

const GROUP = "/apis/crd.projectcalico.org/v1";
const STATUS = "node/calico-status";
const READY = "127.0.0.1:9099";

/**
 * Calico 3.31.0: its CNI plugin and Felix, with nftables; policies of networking.k8s.io/v1 and, of the older admin kinds,
 * AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1. No Typha, controllers or API server.
 */
export const CALICO: Network = {
  binaries: ["calico-felix", "calico", "calico-crds"],
  conflist: ({ stateDir, daemonKubeconfig }) => ({
    cniVersion: "1.0.0",
    name: "calico",
    plugins: [
      {
        type: "calico",
        datastore_type: "kubernetes",
        nodename: NODE.name,
        nodename_file_optional: true,
        mtu: 1500,
        log_level: "warning",
        ipam: {
          type: "host-local",
          dataDir: join(stateDir, "node/addresses"),
          ranges: [[{ subnet: JUDGED_POD_NETWORK, rangeStart: "10.99.1.10" }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
        policy: { type: "k8s" },
        kubernetes: { kubeconfig: daemonKubeconfig },
      },
    ],
  }),
  start: async (node) => {
    await applyCrds(node.admin, [node.bin("calico-crds")]);
    await Promise.all(OBJECTS.map(([path, object]) => applyObject(node.admin, `${GROUP}/${path}`, object)));
    await mkdir(join(node.stateDir, STATUS), { recursive: true });
    node.start("calico-felix", [node.bin("calico-felix"), "-c", "/nonexistent"], felixSettings(node));
    await node.until("calico-felix", async () => (await node.statusInside(READY, "/readiness")) === 200);
  },
  stop: async (node) => {
    await node.stop("calico-felix");
    await node.run("/bin/sh", "-c", "nft flush ruleset");
  },
};

const OBJECTS: readonly (readonly [path: string, object: object])[] = [
  object("ClusterInformation", "clusterinformations", "default", {
    datastoreReady: true,
    clusterGUID: "0123456789abcdef0123456789abcdef",
    calicoVersion: "v3.31.0",
    clusterType: "k8s",
  }),
  object("IPPool", "ippools", "pods", {
    cidr: JUDGED_POD_NETWORK,
    ipipMode: "Never",
    vxlanMode: "Never",
    natOutgoing: false,
    nodeSelector: "all()",
  }),
  object("Tier", "tiers", "default", { order: 1_000_000, defaultAction: "Deny" }),
  object("Tier", "tiers", "adminnetworkpolicy", { order: 1_000, defaultAction: "Pass" }),
  object("Tier", "tiers", "baselineadminnetworkpolicy", { order: 10_000_000, defaultAction: "Pass" }),
];

function object(kind: string, plural: string, name: string, spec: object): readonly [string, object] {
  return [`${plural}/${name}`, { apiVersion: "crd.projectcalico.org/v1", kind, metadata: { name }, spec }];
}

function felixSettings({ stateDir, daemonKubeconfig }: NodeAccess): Readonly<Record<string, string>> {
  return {
    KUBECONFIG: daemonKubeconfig,
    FELIX_DATASTORETYPE: "kubernetes",
    FELIX_FELIXHOSTNAME: NODE.name,
    FELIX_INTERFACEPREFIX: "cali",
    FELIX_NFTABLESMODE: "Enabled",
    FELIX_MTUIFACEPATTERN: NODE.bridge,
    FELIX_IPV6SUPPORT: "false",
    FELIX_BPFENABLED: "false",
    // Else it cleans up BPF programs at its start, which this build has no code for.
    FELIX_DebugSkipCTLBCleanup: "true",
    FELIX_XDPENABLED: "false",
    FELIX_IPINIPENABLED: "false",
    FELIX_VXLANENABLED: "false",
    FELIX_HEALTHENABLED: "true",
    FELIX_HEALTHHOST: "127.0.0.1",
    FELIX_USAGEREPORTINGENABLED: "false",
    FELIX_LOGFILEPATH: "none",
    FELIX_LOGSEVERITYFILE: "none",
    FELIX_LOGSEVERITYSYS: "none",
    FELIX_LOGSEVERITYSCREEN: "Warning",
    FELIX_ENDPOINTSTATUSPATHPREFIX: join(stateDir, STATUS),
    FELIX_DEFAULTENDPOINTTOHOSTACTION: "ACCEPT",
  };
}

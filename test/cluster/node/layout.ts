import { mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeKubeconfig } from "../kubeconfig.ts";
import { nodeSubject } from "../nodes.ts";
import type { Authority } from "../pki.ts";
import { commandInPath } from "../reaper.ts";
import { containerdConfig, egressConfig, kubeletConfig } from "./configs.ts";
import { NODE, NODE_API_URL, NODE_FILES } from "./place.ts";

/** Where a node's files go, and who signs its certificates. */
export type NodeLayout = { readonly stateDir: string; readonly authority: Authority };

/** The control group that holds a node's Pods. */
export const cgroupOf = (stateDir: string): string => basename(stateDir);

/** Writes what the API server reads at its start. */
export async function writeServerFiles(stateDir: string): Promise<void> {
  await mkdir(join(stateDir, "node"));
  await writeFile(join(stateDir, NODE_FILES.egress), egressConfig(stateDir));
}

/** Writes configurations, certificates and kubeconfigs of a node's daemons. */
export async function writeNodeFiles({ stateDir, authority }: NodeLayout): Promise<void> {
  const subject = nodeSubject(NODE.name);
  const serving = await authority.server(subject, [NODE.address, NODE.name]);
  const daemon = { name: "node-daemons", groups: ["system:masters"] };
  for (const [file, user] of [
    [NODE_FILES.kubeconfig, subject],
    [NODE_FILES.daemonKubeconfig, daemon],
  ] as const) {
    const pair = await authority.client(user);
    await writeKubeconfig(join(stateDir, file), NODE_API_URL, authority.cert, { pair });
  }
  const runc = commandInPath("runc") ?? "/usr/sbin/runc";
  const plugins = [join(stateDir, "bin"), "/usr/lib/cni"];
  const contents: Readonly<Record<string, string>> = {
    [NODE_FILES.kubeletCert]: serving.cert,
    [NODE_FILES.kubeletKey]: serving.key,
    [NODE_FILES.kubeletConfig]: kubeletConfig(stateDir, cgroupOf(stateDir)),
    [NODE_FILES.containerdConfig]: containerdConfig(stateDir, runc, plugins),
    [NODE_FILES.resolvConf]: "nameserver 10.96.0.10\n",
  };
  for (const folder of [NODE_FILES.cniConfig, NODE_FILES.staticPods, NODE_FILES.volumePlugins, NODE_FILES.podLogs]) {
    await mkdir(join(stateDir, folder), { recursive: true });
  }
  for (const [file, text] of Object.entries(contents)) await writeFile(join(stateDir, file), text, { mode: 0o600 });
}

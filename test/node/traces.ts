import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { leftoversOf } from "../cluster/leftovers.ts";

/** Settings of the whole kernel that kubelet and network programs would change. */
const SETTINGS = ["kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "kernel/keys/root_maxkeys"];

/** What a node could change on the machine: its network interfaces, named namespaces, mounts and settings. */
export type HostState = Readonly<Record<"interfaces" | "mounts" | "settings" | "folders", readonly string[]>>;

/** Reads it now; mounts and control groups of nodes that others run are left out by their names. */
export function hostState(): HostState {
  return {
    interfaces: readdirSync("/sys/class/net").sort(),
    mounts: readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .filter((line) => !line.includes("signet-cluster-")),
    settings: SETTINGS.map((name) => `${name} ${readFileSync(`/proc/sys/${name}`, "utf8").trim()}`),
    folders: ["/run/netns", "/var/lib/cni", "/var/lib/calico", "/var/run/cilium", "/run/containerd"].flatMap(listing),
  };
}

function listing(folder: string): readonly string[] {
  try {
    return readdirSync(folder).map((name) => `${folder}/${name}`);
  } catch {
    return [];
  }
}

/** What is left of a cluster with a node: processes, folders, control groups (which can't go while a process is in them). */
export async function tracesOf(stateDir: string, patienceMs: number): Promise<readonly string[]> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const left = [...(await leftoversOf(stateDir, 0)), ...groupsNamed(basename(stateDir))];
    if (left.length === 0 || Date.now() > deadline) return left;
    await sleep(50);
  }
}

/** The control groups of that name, in every hierarchy. */
export function groupsNamed(name: string): readonly string[] {
  const places = ["/sys/fs/cgroup", ...listing("/sys/fs/cgroup")];
  return places.flatMap(listing).filter((path) => basename(path) === name);
}

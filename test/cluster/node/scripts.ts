import { join } from "node:path";
import { cgroupOf } from "./layout.ts";
import { NODE, NODE_FILES } from "./place.ts";

/** What kubelet and network programs set for the whole kernel, and the values they want to find. */
const TUNABLES: Readonly<Record<string, string>> = {
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
  "kernel/timer_migration": "0",
  "kernel/unprivileged_bpf_disabled": "1",
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
};

/**
 * Prepares the namespaces: folders of the machine that daemons write to are covered by empty ones, settings of the whole
 * kernel by files that already say what kubelet would write; and the network with its bridge. The host sees none of it.
 */
export function setUpScript(stateDir: string): string {
  const tunables = join(stateDir, NODE_FILES.tunables);
  const cover = Object.entries(TUNABLES).map(([name, value]) => {
    const file = join(tunables, name.replaceAll("/", "."));
    return `[ ! -e /proc/sys/${name} ] || { echo ${value} >${file}; mount --bind ${file} /proc/sys/${name}; }`;
  });
  return `
mount --make-rprivate /
for folder in /run /var/lib /var/log; do mount -t tmpfs -o mode=755 signet-node $folder; done
mkdir -p /run/netns /run/lock /var/lib/cni
mount -t bpf bpf /sys/fs/bpf
mkdir -p ${tunables}
${cover.join("\n")}
mount --make-rshared /
ip link set lo up
ip link add ${NODE.bridge} type bridge
ip address add ${NODE.address}/16 dev ${NODE.bridge}
ip link set ${NODE.bridge} up
ip route add 169.254.1.1/32 dev ${NODE.bridge}
echo 1 >/proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
${cgroupScript(cgroupOf(stateDir))}
`;
}

/** A control group in every hierarchy; process 1, whose children the daemons are, leaves whatever group limits the caller. */
function cgroupScript(cgroup: string): string {
  return `
while read -r _ hierarchy type _; do
  case $type in cgroup | cgroup2) ;; *) continue ;; esac
  mkdir -p $hierarchy/${cgroup}
  [ $type = cgroup ] || continue
  echo 1 >$hierarchy/cgroup.procs
  [ -f $hierarchy/cpuset.cpus ] || continue
  cat $hierarchy/cpuset.cpus >$hierarchy/${cgroup}/cpuset.cpus
  cat $hierarchy/cpuset.mems >$hierarchy/${cgroup}/cpuset.mems
done </proc/self/mounts
`;
}

/** Removes the control groups of a node whose processes have ended; run by the reaper, whatever ended the tool. */
export function cleanUpScript(cgroup: string): string {
  return `
tries=0
while left=$(find /sys/fs/cgroup -maxdepth 2 -type d -name '${cgroup}') && [ -n "$left" ] && [ $tries -lt 100 ]; do
  find $left -depth -type d -exec rmdir {} \\; 2>/dev/null
  tries=$((tries + 1)); [ -z "$(find /sys/fs/cgroup -maxdepth 2 -type d -name '${cgroup}')" ] || sleep 0.1
done
`;
}

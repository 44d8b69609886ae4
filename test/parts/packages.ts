import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";

/** Command, or file → the Debian package that brings it. */
const PACKAGES: Readonly<Record<string, string>> = {
  openssl: "openssl",
  bash: "bash",
  nft: "nftables",
  setpriv: "util-linux",
  psql: "postgresql",
  java: "default-jdk-headless",
  jlink: "default-jdk-headless",
  nginx: "nginx",
  "/usr/lib/nginx/modules/ngx_http_js_module.so": "libnginx-mod-http-js",
  chromium: "chromium",
  unshare: "util-linux",
  nsenter: "util-linux",
  ip: "iproute2",
  runc: "runc",
  conntrack: "conntrack",
  "softhsm2-util": "softhsm2",
  ipset: "ipset",
  busybox: "busybox-static",
  "clang-19": "clang-19",
  "llc-19": "llvm-19",
  "/usr/lib/cni/bridge": "containernetworking-plugins",
};

/** What a real node of a test cluster needs of the machine. */
export const NODE_COMMANDS: readonly string[] = [
  "unshare",
  "nsenter",
  "ip",
  "runc",
  "nft",
  "conntrack",
  "busybox",
  "/usr/lib/cni/bridge",
];

/** What Calico needs besides: it clears sets that an older one may have left, with nftables too. */
export const CALICO_COMMANDS: readonly string[] = ["ipset"];

/** What Cilium needs besides: it compiles its programs on the node. */
export const CILIUM_COMMANDS: readonly string[] = ["clang-19", "llc-19"];

const isThere = (command: string): boolean =>
  command.startsWith("/") ? existsSync(command) : spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;

/** Installs what is missing where this process may; gives the commands that are missing still. */
export function ensureCommands(commands: readonly string[]): readonly string[] {
  const missing = commands.filter((command) => !isThere(command));
  const packages = missing.flatMap((command) => PACKAGES[command] ?? []);
  if (packages.length > 0 && process.getuid?.() === 0 && isThere("apt-get")) {
    process.stderr.write(`installing ${packages.join(", ")}\n`);
    const options = { stdio: ["ignore", "ignore", "inherit"] as ["ignore", "ignore", "inherit"] };
    spawnSync("apt-get", ["update", "-q"], options);
    spawnSync("apt-get", ["install", "-qy", "--no-install-recommends", ...packages], options);
  }
  return missing.filter((command) => !isThere(command));
}

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Every program a test cluster can be made of. */
export type BinaryName =
  | "etcd"
  | "kube-apiserver"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "kubectl"
  | "kubelet"
  | "kube-proxy";

/** A folder of Go module files under `test/cluster/go`, and what pins the version in its go.mod. */
export type GoModule = {
  readonly folder: "kubernetes" | "etcd";
  readonly path: string;
  readonly files: readonly string[];
};

/** How one binary is made: the package of its module, and where the official download lies below its mirror. */
export type Recipe = {
  readonly module: GoModule;
  readonly package: string;
};

const ETCD: GoModule = {
  folder: "etcd",
  path: "go.etcd.io/etcd/server/v3",
  files: ["go.mod", "go.sum", "main.go"],
};

const KUBERNETES: GoModule = {
  folder: "kubernetes",
  path: "k8s.io/kubernetes",
  files: ["go.mod", "go.sum", "tools.go"],
};

/** The order is the order of building: cheap and needed first. */
export const RECIPES: Readonly<Record<BinaryName, Recipe>> = {
  etcd: { module: ETCD, package: "." },
  "kube-apiserver": command("kube-apiserver"),
  "kube-controller-manager": command("kube-controller-manager"),
  kubectl: command("kubectl"),
  "kube-scheduler": command("kube-scheduler"),
  kubelet: command("kubelet"),
  "kube-proxy": command("kube-proxy"),
};

/** All names, in building order. */
export const BINARY_NAMES: readonly BinaryName[] = ["etcd", ...kubernetesNames()];

/** The version that a module's go.mod requires, e.g. `v1.37.2`. */
export function versionOf(module: GoModule, goFolder: string): string {
  const text = readFileSync(join(goFolder, module.folder, "go.mod"), "utf8");
  const found = text.match(new RegExp(`^(?:require)?\\s*${module.path.replaceAll(".", "\\.")} (v\\S+)$`, "m"))?.[1];
  if (found === undefined) throw new Error(`${module.folder}/go.mod does not require ${module.path}`);
  return found;
}

/** The linker's flags: without the version a Kubernetes binary calls itself v0.0.0. */
export function linkerFlags(module: GoModule, version: string): string {
  if (module.folder === "etcd") return "-s -w";
  const [major, minor] = version.slice(1).split(".");
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  const sets = Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ["-s -w", ...sets].join(" ");
}

/** The name of the cache folder: it changes whenever what would be built changes. */
export function cacheKey(module: GoModule, goFolder: string): string {
  const version = versionOf(module, goFolder);
  const digest = createHash("sha256").update(linkerFlags(module, version));
  for (const file of module.files)
    digest.update(`\0${file}\0`).update(readFileSync(join(goFolder, module.folder, file)));
  return [module.folder, version, process.platform, process.arch, digest.digest("hex").slice(0, 12)].join("-");
}

function command(name: string): Recipe {
  return { module: KUBERNETES, package: `k8s.io/kubernetes/cmd/${name}` };
}

function kubernetesNames(): readonly BinaryName[] {
  return ["kube-apiserver", "kube-controller-manager", "kubectl", "kube-scheduler", "kubelet", "kube-proxy"];
}

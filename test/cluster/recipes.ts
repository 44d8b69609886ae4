import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A folder of Go module files under `test/cluster/go`, what pins the version in its go.mod, and how it is built. */
export type GoModule = {
  readonly folder: "kubernetes" | "etcd" | "containerd" | "node" | "calico" | "cilium" | "cert-manager";
  readonly path: string;
  /** A module that go.mod replaces by a folder: a copy of what is published, with one line put in. */
  readonly patched?: Patch;
  /** Build tags, comma-separated. */
  readonly tags?: string;
  /** `-X` settings of the linker: without the version a program calls itself v0.0.0. */
  readonly sets: (version: string) => Readonly<Record<string, string>>;
};

/** One line more in one file of a module; `folder` is what go.mod replaces the module by. */
export type Patch = {
  readonly module: string;
  /** Its checksum, as go.sum would hold it: the public database does not know this version. */
  readonly sum: string;
  readonly folder: string;
  readonly file: string;
  readonly after: string;
  readonly line: string;
};

/** How one binary is made: the package of its module; or a folder of the module's files that is copied. */
export type Recipe =
  | { readonly module: GoModule; readonly package: string }
  | { readonly module: GoModule; readonly copy: string };

const ETCD: GoModule = { folder: "etcd", path: "go.etcd.io/etcd/server/v3", sets: () => ({}) };

const KUBERNETES: GoModule = { folder: "kubernetes", path: "k8s.io/kubernetes", sets: kubernetesVersion };

const CONTAINERD: GoModule = {
  folder: "containerd",
  path: "github.com/containerd/containerd/v2",
  tags: "no_btrfs,no_devmapper,no_zfs,no_aufs,no_systemd",
  sets: (version) => ({ "github.com/containerd/containerd/v2/version.Version": version }),
};

/** Programs of our own that a node and its Pods are made of. */
const NODE: GoModule = { folder: "node", path: "golang.org/x/sys", sets: () => ({}) };

const CALICO: GoModule = {
  folder: "calico",
  path: "github.com/projectcalico/calico",
  sets: () => ({}),
  // The api module that can be had is some weeks older than the release that uses it.
  patched: {
    module: "github.com/projectcalico/api",
    sum: "h1:uawQ+eFENhBbwlOy0ooDwnzVWN2KP6X//GuJMXauyew=",
    folder: "api",
    file: "pkg/apis/projectcalico/v3/kubecontrollersconfig.go",
    after: "type Template struct {",
    line: '\tInterfacePattern string `json:"interfacePattern,omitempty"`',
  },
};

const CILIUM: GoModule = { folder: "cilium", path: "github.com/cilium/cilium", tags: "osusergo", sets: () => ({}) };

/** Its controllers, started by a main of ours: its commands are modules that nobody publishes. */
const CERT_MANAGER: GoModule = {
  folder: "cert-manager",
  path: "github.com/cert-manager/cert-manager",
  sets: (version) => ({ "github.com/cert-manager/cert-manager/pkg/util.AppVersion": version }),
};

const TABLE = {
  etcd: { module: ETCD, package: "." },
  "kube-apiserver": { module: KUBERNETES, package: "k8s.io/kubernetes/cmd/kube-apiserver" },
  "kube-controller-manager": { module: KUBERNETES, package: "k8s.io/kubernetes/cmd/kube-controller-manager" },
  kubectl: { module: KUBERNETES, package: "k8s.io/kubernetes/cmd/kubectl" },
  "kube-scheduler": { module: KUBERNETES, package: "k8s.io/kubernetes/cmd/kube-scheduler" },
  kubelet: { module: KUBERNETES, package: "k8s.io/kubernetes/cmd/kubelet" },
  "kube-proxy": { module: KUBERNETES, package: "k8s.io/kubernetes/cmd/kube-proxy" },
  containerd: { module: CONTAINERD, package: "github.com/containerd/containerd/v2/cmd/containerd" },
  "containerd-shim-runc-v2": {
    module: CONTAINERD,
    package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
  },
  ctr: { module: CONTAINERD, package: "github.com/containerd/containerd/v2/cmd/ctr" },
  "node-init": { module: NODE, package: "./init" },
  "node-door": { module: NODE, package: "./door" },
  "node-probe": { module: NODE, package: "./probe" },
  "node-done": { module: NODE, package: "./done" },
  pause: { module: NODE, package: "./pause" },
  standin: { module: NODE, package: "./standin" },
  "calico-felix": { module: CALICO, package: "github.com/projectcalico/calico/felix/cmd/calico-felix" },
  calico: { module: CALICO, package: "github.com/projectcalico/calico/cni-plugin/cmd/calico" },
  "calico-crds": { module: CALICO, copy: "libcalico-go/config/crd" },
  "cilium-agent": { module: CILIUM, package: "github.com/cilium/cilium/daemon" },
  "cilium-cni": { module: CILIUM, package: "github.com/cilium/cilium/plugins/cilium-cni" },
  "cilium-bpf": { module: CILIUM, copy: "bpf" },
  "cilium-crds": { module: CILIUM, copy: "pkg/k8s/apis/cilium.io/client/crds" },
  "cert-manager": { module: CERT_MANAGER, package: "." },
  "cert-manager-crds": { module: CERT_MANAGER, copy: "deploy/crds" },
} as const satisfies Readonly<Record<string, Recipe>>;

/** Every program a test cluster can be made of. */
export type BinaryName = keyof typeof TABLE;

/** The order is the order of building: cheap and needed first. */
export const RECIPES: Readonly<Record<BinaryName, Recipe>> = TABLE;

/** All names, in building order. */
export const BINARY_NAMES: readonly BinaryName[] = Object.keys(TABLE).filter((name) => isBinary(name));

/** The version that a module's go.mod requires, e.g. `v1.37.2`. */
export function versionOf(module: GoModule, goFolder: string): string {
  return versionIn(readFileSync(join(goFolder, module.folder, "go.mod"), "utf8"), module.path);
}

/** The version that the text of a go.mod requires of a module; throws where it requires none. */
export function versionIn(goMod: string, path: string): string {
  const found = goMod.match(new RegExp(`^(?:require)?\\s*${path.replaceAll(".", "\\.")} (v\\S+)$`, "m"))?.[1];
  if (found === undefined) throw new Error(`go.mod does not require ${path}`);
  return found;
}

/** The linker's flags. */
export function linkerFlags(module: GoModule, version: string): string {
  const sets = Object.entries(module.sets(version)).map(([name, value]) => `-X ${name}=${value}`);
  return ["-s -w", ...sets].join(" ");
}

/** The name of the cache folder: it changes whenever what would be built changes. */
export function cacheKey(module: GoModule, goFolder: string): string {
  const version = versionOf(module, goFolder);
  const { tags = "", patched } = module;
  const patch = patched === undefined ? "" : JSON.stringify(patched);
  const digest = createHash("sha256").update([linkerFlags(module, version), tags, patch].join(""));
  const folder = join(goFolder, module.folder);
  for (const file of filesBelow(folder)) digest.update(`\0${file}\0`).update(readFileSync(join(folder, file)));
  return [module.folder, version, process.platform, process.arch, digest.digest("hex").slice(0, 12)].join("-");
}

function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();
}

function isBinary(name: string): name is BinaryName {
  return Object.hasOwn(TABLE, name);
}

function kubernetesVersion(version: string): Readonly<Record<string, string>> {
  const [major = "", minor = ""] = version.slice(1).split(".");
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: "clean" };
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [`k8s.io/component-base/version.${name}`, value]),
  );
}

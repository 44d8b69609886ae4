import { CALICO_COMMANDS, CILIUM_COMMANDS, NODE_COMMANDS } from "./packages.ts";

/** One part of `npm test`: its name, what it runs, how long it may take, and what the machine must have for it. */
export type Part = {
  readonly name: string;
  readonly about: string;
  /** Seconds after which the part is ended and counts as failed. */
  readonly ceiling: number;
  /** Runs these npm scripts, one counted test each… */
  readonly scripts?: readonly string[];
  /** …or the test files below these folders. */
  readonly folders?: readonly string[];
  /** Test files in processes rather than threads: native libraries don't see what a thread sets in its environment. */
  readonly pool?: "forks";
  /** Commands that must be there. */
  readonly commands?: readonly string[];
  /** A command line that makes what the part needs (binaries built once into a cache), and its own ceiling in seconds. */
  readonly prepare?: { readonly command: readonly string[]; readonly ceiling: number };
  /** Runs only when asked for by name, and in CI. */
  readonly onRequest?: true;
  /** Begins before all others and is collected last: it waits nearly all its time. */
  readonly beside?: true;
};

const PREPARE_API = "node test/cluster/main.ts --prepare";
const PREPARE_NODE = ["node", "test/cluster/main.ts", "--prepare", "--nodes", "1"];
/** Makes the programs that Pods call each other by. */
const PREPARE_SHOP = `${PREPARE_NODE.join(" ")} && node test/clients/prepare.ts`;
/** What a node needs whose Pods call by foreign implementations. */
const SHOP_COMMANDS = [...NODE_COMMANDS, "setpriv", "openssl", "java", "jlink"];

/** The parts of `npm test`, in their order. */
export const PARTS: readonly Part[] = [
  {
    name: "check",
    about: "types, lint, format, dead code",
    ceiling: 120,
    scripts: ["check:types", "check:lint", "check:format", "check:dead"],
  },
  {
    name: "unit",
    about: "everything that needs only Node",
    // Under a minute on two idle cores; the ceiling leaves room for a machine that others use too.
    ceiling: 240,
    folders: ["test"],
    commands: ["openssl", "bash"],
  },
  {
    name: "bin",
    about: "whole programs, started and ended",
    ceiling: 120,
    folders: ["test/bin"],
    commands: ["openssl"],
  },
  {
    name: "api",
    about: "a real Kubernetes API server with real controllers",
    ceiling: 480,
    folders: ["test/cluster", "test/api"],
    commands: ["setpriv", "bash"],
    prepare: { command: ["node", "test/cluster/main.ts", "--prepare"], ceiling: 2400 },
  },
  {
    name: "node",
    about: "a real node: kubelet, containerd, and Pods that know each other by their certificates",
    // A third of it on two idle cores.
    ceiling: 360,
    folders: ["test/node"],
    commands: SHOP_COMMANDS,
    prepare: { command: ["sh", "-c", PREPARE_SHOP], ceiling: 2400 },
  },
  {
    name: "judges",
    about: "two real implementations of network policies, seen by probes from inside Pods",
    // Half of it on two idle cores; Cilium compiles its programs for every Pod.
    ceiling: 420,
    folders: ["test/judges"],
    commands: [...NODE_COMMANDS, ...CALICO_COMMANDS, ...CILIUM_COMMANDS, "setpriv"],
    prepare: { command: [...PREPARE_NODE, "--network", "calico", "--network", "cilium"], ceiling: 2400 },
  },
  {
    name: "clients",
    about:
      "what openssl, go-spiffe, zlint and Java say of certificates, grpc-go of their door, and the examples that use them",
    // A third of it on two idle cores.
    ceiling: 180,
    folders: ["test/clients"],
    commands: ["openssl", "java", "psql", "setpriv", "nginx", "/usr/lib/nginx/modules/ngx_http_js_module.so"],
    prepare: { command: ["node", "test/clients/prepare.ts"], ceiling: 900 },
  },
  { name: "image", about: "the Dockerfile's build steps", ceiling: 240, folders: ["test/image"] },
  {
    name: "browser",
    about: "pages, in a headless Chromium",
    ceiling: 120,
    folders: ["test/browser"],
    commands: ["chromium"],
  },
  {
    name: "host",
    about: "rules between hosts in a real kernel; a PostgreSQL that grants, is killed and comes back; keys in a token",
    // A third of it on two idle cores.
    ceiling: 180,
    folders: ["test/host"],
    pool: "forks",
    commands: ["nft", "unshare", "nsenter", "ip", "bash", "busybox", "conntrack", "psql", "setpriv", "softhsm2-util"],
  },
  {
    name: "slow",
    about: "what has to wait for clocks, goes on under fire, or needs an older API server; the runbooks",
    ceiling: 450,
    folders: ["test/slow"],
    commands: ["setpriv"],
    prepare: { command: ["sh", "-c", `${PREPARE_API} && node test/slow/prepare.ts`], ceiling: 3600 },
    onRequest: true,
  },
  {
    name: "refresh",
    about: "a kubelet that renews certificates by itself",
    // The API server lets no certificate be renewed sooner: a quarter of an hour at most.
    ceiling: 1500,
    folders: ["test/refresh"],
    commands: SHOP_COMMANDS,
    prepare: { command: ["sh", "-c", PREPARE_SHOP], ceiling: 3600 },
    onRequest: true,
    beside: true,
  },
];

/** Folders of tests that need more than Node: those that a part of their own names. All others are unit tests. */
export const SPECIAL_FOLDERS: readonly string[] = PARTS.flatMap(({ folders }) => folders ?? [])
  .filter((folder) => folder !== "test")
  .map((folder) => folder.replace("test/", ""));

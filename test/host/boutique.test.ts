import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Host, type Matrix, Neighbours } from "./neighbours.ts";

const CLI = join(import.meta.dirname, "../../src/bin/cli.ts");
const EXAMPLE = "docs/examples/online-boutique";
const DATA = "test/conformance/data/apps/online-boutique/edges.json";

type Edge = { readonly from: string; readonly to: string; readonly podPort: number };
const EDGES = (JSON.parse(readFileSync(DATA, "utf8")) as { readonly edges: readonly Edge[] }).edges;
const CALLS: ReadonlySet<string> = new Set(EDGES.map(({ from, to, podPort }) => `${from} -> ${to} tcp/${podPort}`));

const NAMES = [...new Set(EDGES.flatMap(({ from, to }) => [from, to]))].sort();
const HOSTS: readonly Host[] = NAMES.map((name, index) => ({
  name,
  address: `10.77.0.${index + 11}`,
  ports: [...new Set(EDGES.filter(({ to }) => to === name).map(({ podPort }) => podPort))],
}));
/** Customers: a host that holds no role, and has no rules. */
const OUTSIDE = "external";
const addressOf = (name: string): string => HOSTS.find((one) => one.name === name)?.address ?? "";

/** Online Boutique on machines of the same accounts: its definitions, and where each workload is. */
function definitions(addresses: Readonly<Record<string, string>> = {}, more = ""): string {
  const shop = ["catalogue.yaml", "policy.yaml", "guardrail.yaml"].map((file) =>
    readFileSync(join(EXAMPLE, file), "utf8"),
  );
  const machines = HOSTS.filter(({ name }) => name !== OUTSIDE).map(
    ({ name, address }) =>
      `{apiVersion: signet.dev/v1alpha1, kind: ExternalWorkload, metadata: {namespace: default, name: ${name}, labels: {app: ${name}}}, spec: {kind: Machine, serviceAccount: ${name === "redis-cart" ? "default" : name}, addresses: [${addresses[name] ?? address}]}}`,
  );
  return [...shop, ...machines, more]
    .filter((text) => text !== "")
    .join("\n---\n")
    .replaceAll("kinds: [Pod]", "kinds: [Machine]");
}

let folder: string;
let neighbours: Neighbours;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "signet-boutique-"));
  neighbours = await Neighbours.start(HOSTS);
}, 60_000);

afterAll(async () => {
  await neighbours?.close();
  rmSync(folder, { recursive: true });
}, 60_000);

type Compiled = { readonly kind: string; readonly metadata: { readonly name: string }; readonly spec: unknown };

/** What the definitions compile to for a target, by name, beside the NetworkPolicies that enclose Pods of the namespace. */
function compiled(text: string, target: string, ...options: readonly string[]): ReadonlyMap<string, Compiled["spec"]> {
  const file = join(folder, "definitions.yaml");
  writeFileSync(file, text);
  const waived = ["--pod-cidr", "10.244.0.0/16", "--waive", "TARGET_ABSENT=2999-01-01T00:00:00Z"];
  const args = [
    CLI,
    "policy",
    "compile",
    "-c",
    file,
    "--target",
    `networkpolicy,${target}`,
    "-o",
    "json",
    ...waived,
    ...options,
  ];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (stdout === "") throw new Error(stderr);
  const { objects } = JSON.parse(stdout) as { readonly objects: readonly Compiled[] };
  if (objects.length === 0) throw new Error(stdout.slice(0, 4000));
  const ours = objects.filter(({ kind }) => kind !== "NetworkPolicy");
  return new Map(ours.map(({ metadata, spec }) => [metadata.name, spec]));
}

const nftOf = (spec: unknown): string => (spec as { readonly text: string }).text;

/** Loads the rules of every host. */
function load(rules: ReadonlyMap<string, string>): void {
  for (const [name, text] of rules) neighbours.run(name, "nft -f -", text);
}

const nftRules = (text: string, ...options: readonly string[]): ReadonlyMap<string, string> =>
  new Map([...compiled(text, "nftables", ...options)].map(([name, spec]) => [name, nftOf(spec)]));

const open = (matrix: Matrix): readonly string[] =>
  [...matrix]
    .filter(([, outcome]) => outcome !== "dropped")
    .map(([line, outcome]) => `${line} ${outcome}`)
    .sort();

const CALLS_OPEN = [...CALLS].map((line) => `${line} open`).sort();

/** Whether one host answers another's ping. */
const pings = (from: string, to: string): boolean => {
  try {
    neighbours.run(from, `busybox ping -c 1 -W 1 ${addressOf(to)} 2> /dev/null`);
    return true;
  } catch {
    return false;
  }
};

describe("Online Boutique on machines, in network namespaces of their own", { timeout: 60_000 }, () => {
  test("without rules everything is open, else what follows would prove nothing", async () => {
    const matrix = await neighbours.matrix(10_000);
    const lines = HOSTS.flatMap(({ name: to, ports }) =>
      HOSTS.filter(({ name }) => name !== to).flatMap(({ name: from }) =>
        ports.flatMap((port) => [`${from} -> ${to} tcp/${port}`, `${from} -> ${to} udp/${port}`]),
      ),
    );
    expect(lines.filter((line) => matrix.get(line) !== "open")).toEqual([]);
    expect([...new Set(matrix.values())].sort()).toEqual(["open", "refused"]);
    expect(pings("frontend", "cartservice")).toBe(true);
  });

  test("under the rules of nftables the true call graph is let through and nothing else", async () => {
    load(nftRules(definitions()));
    expect(open(await neighbours.matrix())).toEqual(CALLS_OPEN);
    expect(pings("frontend", "cartservice")).toBe(false);
  });

  test("rules are exchanged as a whole: whoever connects meanwhile sees the old or the new, never neither", async () => {
    const rules = nftRules(definitions()).get("cartservice") ?? "";
    const seen = new Set<string>();
    const until = Date.now() + 2000;
    const reload = async (): Promise<void> => {
      while (Date.now() < until) {
        neighbours.run("cartservice", "nft -f -", rules);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const connect = async (): Promise<void> => {
      while (Date.now() < until) {
        seen.add(`frontend ${await neighbours.tcp("frontend", addressOf("cartservice"), 7070)}`);
        seen.add(`adservice ${await neighbours.tcp("adservice", addressOf("cartservice"), 7070, 50)}`);
      }
    };
    await Promise.all([reload(), connect()]);
    expect([...seen].sort()).toEqual(["adservice dropped", "frontend open"]);
  });

  test("an address that moves to another workload takes nothing along", async () => {
    const [cart, ad] = [addressOf("cartservice"), addressOf("adservice")];
    const swap = (name: string, from: string, to: string): void =>
      void neighbours.run(name, `ip addr del ${from}/24 dev eth0; ip addr add ${to}/24 dev eth0`);
    swap("adservice", ad, "10.77.0.99");
    swap("cartservice", cart, ad);
    for (const { name } of HOSTS) neighbours.run(name, "ip neigh flush all");
    load(nftRules(definitions({ cartservice: ad, adservice: "10.77.0.99" })));
    expect(await neighbours.tcp("frontend", ad, 7070)).toBe("open");
    expect(await neighbours.tcp("frontend", ad, 9555)).toBe("dropped");
    expect(await neighbours.tcp("frontend", "10.77.0.99", 9555)).toBe("open");
    swap("cartservice", ad, cart);
    swap("adservice", "10.77.0.99", ad);
    for (const { name } of HOSTS) neighbours.run(name, "ip neigh flush all");
    load(nftRules(definitions()));
    expect(await neighbours.tcp("frontend", cart, 7070)).toBe("open");
  });

  test("a connection that stands when its sentence goes lives on, until conntrack forgets it", async () => {
    expect(await neighbours.hold("frontend", addressOf("adservice"), 9555)).toBe("open");
    expect(await neighbours.beat("frontend")).toBe("answered");
    load(
      nftRules(
        definitions().replace(
          /- from: \{role: frontend\}\n {4}to: \{role: adservice\}\n {4}on: \[tcp\/9555\]/,
          "- from: {role: frontend}\n    to: {role: adservice}\n    on: [tcp/9556]",
        ),
      ),
    );
    expect(await neighbours.tcp("frontend", addressOf("adservice"), 9555)).toBe("dropped");
    expect(await neighbours.beat("frontend")).toBe("answered");
    for (const name of ["frontend", "adservice"]) neighbours.run(name, "conntrack -D -p tcp --dport 9555 2>/dev/null");
    expect(await neighbours.beat("frontend")).toBe("silent");
  });

  test("an exception ends in the kernel, whatever became of us", async () => {
    const end = Date.now() + 60_000;
    const exception = `{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {name: look, namespace: default}, spec: {permit: {sentence: {from: {role: adservice}, to: {role: redis-cart}, 'on': [tcp/6379]}}, workloads: {role: redis-cart}, reason: a look, expires: '${new Date(end).toISOString()}'}}`;
    // As compiled three seconds before its end.
    load(nftRules(definitions({}, exception), "--at", new Date(end - 3000).toISOString()));
    expect(await neighbours.tcp("adservice", addressOf("redis-cart"), 6379)).toBe("open");
    await expect
      .poll(() => neighbours.tcp("adservice", addressOf("redis-cart"), 6379, 200), { timeout: 20_000 })
      .toBe("dropped");
  });

  test("what security groups say lets the same call graph through, where groups are addresses", async () => {
    const groups = compiled(definitions(), "securitygroups");
    for (const { name } of HOSTS.filter((host) => host.name !== OUTSIDE))
      neighbours.run(name, "nft -f -", groupRules(groups.get(`signet-${name}`)));
    expect(open(await neighbours.matrix())).toEqual(CALLS_OPEN);
  });
});

type GroupRule = {
  readonly protocol: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly group?: string;
  readonly cidr?: string;
};
type Group = Readonly<Record<"ingress" | "egress", readonly GroupRule[]>>;

/** What a cloud makes of a security group: stateful, closed but for its rules, members of other groups by their addresses. */
function groupRules(spec: unknown): string {
  const { ingress, egress } = spec as Group;
  const chain = (hook: string, side: string, rules: readonly GroupRule[]): string => {
    const lines = rules.map(({ protocol, fromPort, toPort, group, cidr }) => {
      const far = group === undefined ? (cidr ?? "") : addressOf(group.replace("signet-", ""));
      const family = far.includes(":") ? "ip6" : "ip";
      return `${family} ${side} ${far} ${protocol === "-1" ? "" : `${protocol} dport ${fromPort}-${toPort}`} accept`;
    });
    return `chain ${hook} { type filter hook ${hook} priority 0; policy drop; ct state established,related accept; iifname lo accept\n${lines.join("\n")}\n}`;
  };
  return `flush ruleset\ntable inet group {\n${chain("input", "saddr", ingress)}\n${chain("output", "daddr", egress)}\n}\n`;
}

import { describe, expect, test } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import { addPolicyCommands } from "../../src/cli/policy-commands.ts";
import { addReachCommand } from "../../src/cli/reach.ts";
import { fakeIo, type Files } from "../fakes/io.ts";

const pod = (name: string, namespace: string): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: ${namespace}, labels: {app: ${name}}}, spec: {serviceAccountName: ${name}, containers: [{name: c, image: i, ports: [{containerPort: 80, name: http}]}]}}\n---\n`;
const role = (name: string, segment: string, kinds = "[Pod]"): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: ${name}}, spec: {segment: ${segment}, match: {serviceAccounts: [${name}], kinds: ${kinds}}}}\n---\n`;
const segment = (name: string, spec: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: ${name}}, spec: {namespaces: [${name}], mode: enforce, ${spec}}}\n---\n`;
const policy = (name: string, line: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: ${name}, namespace: ${name}}, spec: {segment: ${name}, allow: [${line}]}}\n---\n`;

const DEFINITIONS =
  segment("shop", "environment: prod") +
  segment("pay", "environment: prod") +
  segment("lab", "environment: test") +
  segment("ops", "owner: ops@example.org") +
  role("web", "shop") +
  role("api", "shop") +
  role("db", "pay", "[Machine]") +
  role("trial", "lab") +
  role("jump", "ops") +
  policy("shop", "{from: {role: web}, to: {role: api}, 'on': [tcp/http], why: w}") +
  policy("pay", "{from: {role: api}, to: {role: db}, 'on': [tcp/5432], why: w}") +
  "{apiVersion: signet.dev/v1alpha1, kind: Guardrail, metadata: {name: base}, spec: {fences: [environment]}}\n---\n" +
  "{apiVersion: signet.dev/v1alpha1, kind: ExternalWorkload, metadata: {name: db-vm-7, namespace: pay}, spec: {kind: Machine, serviceAccount: db, join: {method: boundKeypair}, addresses: [10.0.0.7]}}\n";

const FILES: Files = {
  "app/pods.yaml": pod("web", "shop") + pod("api", "shop") + pod("trial", "lab") + pod("jump", "ops"),
  "policy/all.yaml": DEFINITIONS,
  "next/all.yaml": `${DEFINITIONS}---\n${policy("ops", "{from: {role: trial}, to: {role: jump}, 'on': [tcp/22], why: w}")}${policy("pay", "{from: {role: jump}, to: {role: db}, 'on': [tcp/22], why: w}").replace("name: pay", "name: jump")}`,
};

async function signet(args: readonly string[], files: Files = FILES) {
  const { io, printed } = fakeIo(files);
  const code = await runCli(io, args, [addPolicyCommands, addReachCommand]);
  return { code, ...printed };
}

describe("signet reach", () => {
  test("lists whom a workload reaches, hop by hop, with port and sentence", async () => {
    const { code, out } = await signet(["reach", "web", "app", "-c", "policy", "--hops", "2"]);
    expect(code).toBe(0);
    expect(out.split("\n")).toEqual([
      "shop/web[Pod] (role web, segment shop) reaches 1 of 4 other workloads directly, 2 within any number of hops.",
      "",
      "HOPS  WORKLOAD                       ON        VIA                BY",
      "1     shop/api[Pod]                  tcp/80                       SegmentPolicy shop/shop, spec.allow[0] (policy/all.yaml:19)",
      "2     pay/db-vm-7[ExternalWorkload]  tcp/5432  via shop/api[Pod]  SegmentPolicy pay/pay, spec.allow[0] (policy/all.yaml:21)",
      "",
    ]);
  });

  test("tells who reaches a machine, as JSON", async () => {
    const { code, out } = await signet([
      "reach",
      "db-vm-7",
      "app",
      "-c",
      "policy",
      "--into",
      "--hops",
      "2",
      "-o",
      "json",
    ]);
    const report = JSON.parse(out) as {
      direct: number;
      reached: number;
      rows: { workload: string; hops: number; on: string }[];
    };
    expect(code).toBe(0);
    expect([report.direct, report.reached, report.rows.map(({ workload, hops, on }) => [hops, workload, on])]).toEqual([
      1,
      2,
      [
        [1, "shop/api[Pod]", "tcp/5432"],
        [2, "shop/web[Pod]", "tcp/80"],
      ],
    ]);
  });

  test("compares two catalogues and exits with 1 where something changes", async () => {
    const { code, out } = await signet(["reach", "trial", "app", "-c", "policy", "--compare", "next"]);
    expect([code, out.split("\n")]).toEqual([
      1,
      [
        "lab/trial[Pod] reaches 0 other workloads directly before and 1 after; 0 and 2 within any number of hops.",
        "",
        "WORKLOAD       GAINED  LOST",
        "ops/jump[Pod]  tcp/22  -",
        "",
      ],
    ]);
    const same = await signet(["reach", "web", "app", "-c", "policy", "--compare", "next"]);
    expect([same.code, same.out.endsWith("Nothing changes.\n")]).toEqual([0, true]);
  });

  test("counts virtual machines like Pods, and knows their short names", async () => {
    const vm =
      "{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {name: jump-vm, namespace: ops}, spec: {template: {metadata: {labels: {app: jump}}, spec: {serviceAccountName: jump}}}}\n";
    const policies = policy("ops", "{from: {role: trial}, to: {role: jump}, 'on': [tcp/22], why: w}").replace(
      "name: ops",
      "name: vm",
    );
    const roles = DEFINITIONS.replace(role("jump", "ops"), role("jump", "ops", "[VirtualMachine]"));
    const files = { "app/vm.yaml": pod("trial", "lab") + vm, "policy/all.yaml": `${roles}---\n${policies}` };
    const { out, err } = await signet(["reach", "vm/jump-vm", "app", "-c", "policy", "--into"], files);
    expect([out.split("\n")[3], err]).toEqual([
      "1     lab/trial[Pod]  tcp/22       SegmentPolicy ops/vm, spec.allow[0] (policy/all.yaml:27)",
      "",
    ]);
  });

  test("without a catalogue the network policies decide alone", async () => {
    const { out } = await signet(["reach", "web", "app"]);
    expect(out.split("\n")[0]).toBe(
      "shop/web[Pod] (no role) reaches 3 of 3 other workloads directly, 3 within any number of hops.",
    );
  });

  test("refuses a name that nobody bears, and a count of hops that is none", async () => {
    const unknown = await signet(["reach", "ghost", "app", "-c", "policy"]);
    const hops = await signet(["reach", "web", "app", "-c", "policy", "--hops", "0"]);
    expect([unknown.code, unknown.err.split("\n")[0], hops.code]).toEqual([
      2,
      "signet: Workload ghost does not exist in the input resources. [WORKLOAD_UNKNOWN]",
      2,
    ]);
  });
});

describe("signet policy prove", () => {
  const prove = (catalogue: string, ...claims: readonly string[]) =>
    signet(["policy", "prove", "app", "-c", catalogue, ...claims.flatMap((claim) => ["--must-not", claim])]);

  test("proves a fence over the whole inventory", async () => {
    const { code, out } = await prove("policy");
    expect([code, out]).toEqual([
      0,
      "PROVED  environment fence of Guardrail base, spec.fences[0] (policy/all.yaml:23)\n\nOver 5 workloads, as of 2026-11-23T12:00:00Z.\n",
    ]);
  });

  test("shows the way across a fence through a workload that is on neither side", async () => {
    const { code, out } = await prove("next");
    expect([code, out.split("\n").slice(0, 6)]).toEqual([
      3,
      [
        "FAILED  environment fence of Guardrail base, spec.fences[0] (next/all.yaml:23)",
        "        lab/trial[Pod] -> ops/jump[Pod] on tcp/22",
        "            SegmentPolicy ops/ops, spec.allow[0] (next/all.yaml:27)",
        "        ops/jump[Pod] -> pay/db-vm-7[ExternalWorkload] on tcp/22",
        "            SegmentPolicy pay/jump, spec.allow[0] (next/all.yaml:29)",
        "",
      ],
    ]);
  });

  test("holds what must not be to the port of the last hop", async () => {
    const claims = [
      "role:web -> role:db on tcp/5432",
      "role:web -> role:db on tcp/22",
      "outside -> environment:prod",
      "role:trial -> role:db",
    ];
    const { code, out } = await prove("policy", ...claims);
    expect([code, out.split("\n").filter((line) => /^[A-Z]+ /.test(line))]).toEqual([
      3,
      [
        "PROVED  environment fence of Guardrail base, spec.fences[0] (policy/all.yaml:23)",
        "FAILED  must not: role web -> role db on tcp/5432",
        "PROVED  must not: role web -> role db on tcp/22",
        "PROVED  must not: outside -> environment prod on any",
        "PROVED  must not: role trial -> role db on any",
      ],
    ]);
  });

  test("with --hops 1 only direct connections count", async () => {
    const { code } = await signet([
      "policy",
      "prove",
      "app",
      "-c",
      "next",
      "--hops",
      "1",
      "--must-not",
      "role:web -> role:db",
    ]);
    expect(code).toBe(0);
  });

  test("refuses a claim about a name that nobody defined, and one that says nothing", async () => {
    const [unknown, senseless] = [await prove("policy", "role:web -> role:dbb"), await prove("policy", "web and db")];
    expect([unknown.code, unknown.err.split("\n")[0], senseless.code]).toEqual([
      2,
      'signet: --must-not "role:web -> role:dbb": There is no role dbb. [NOT_FOUND]',
      2,
    ]);
  });
});

describe("signet policy allows --catalogue", () => {
  const allows = (from: string, to: string, port: string, ...more: readonly string[]) =>
    signet(["policy", "allows", "app", from, to, port, "-c", "policy", ...more]);

  test("tells both verdicts and the line that decided", async () => {
    const { code, out } = await allows("api", "db-vm-7", "TCP/5432");
    expect([code, out.split("\n")]).toEqual([
      0,
      [
        "allowed: shop/api[Pod] (role api) => pay/db-vm-7[ExternalWorkload] (role db) on tcp/5432",
        "  signet:  allowed: Opened by SegmentPolicy pay/pay, spec.allow[0] (policy/all.yaml:21): w.",
        "    egress:  open: Opened by SegmentPolicy pay/pay, spec.allow[0] (policy/all.yaml:21): w.",
        "    ingress: open: Opened by SegmentPolicy pay/pay, spec.allow[0] (policy/all.yaml:21): w.",
        "    approval: unchecked (a folder carries no approvals)",
        "  others:  allowed",
        "    egress:  allowed: no policy says anything",
        "    ingress: allowed: no policy says anything",
        "",
      ],
    ]);
  });

  test("finds a machine by its address, and denies what no sentence opens", async () => {
    const { code, out } = await allows("web", "10.0.0.7", "tcp/5432");
    expect([code, out.split("\n").slice(0, 2)]).toEqual([
      3,
      [
        "denied: shop/web[Pod] (role web) => pay/db-vm-7[ExternalWorkload] (role db) on tcp/5432",
        "  signet:  denied: Nothing opens it, and segment shop is in force (mode enforce).",
      ],
    ]);
  });

  test("a network policy closes what a sentence opens", async () => {
    const closed =
      "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: none, namespace: shop}, spec: {podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress]}}\n";
    const files = { ...FILES, "app/policy.yaml": closed };
    const { code, out } = await signet(
      ["policy", "allows", "app", "web", "api", "tcp/80", "-c", "policy", "--output", "json"],
      files,
    );
    const answer = JSON.parse(out) as { allowed: boolean; ours: { allowed: boolean }; foreign: { allowed: boolean } };
    expect([code, answer.allowed, answer.ours.allowed, answer.foreign.allowed]).toEqual([3, false, true, false]);
    const reach = await signet(["reach", "web", "app", "-c", "policy"], files);
    expect(reach.out.split("\n")[0]).toContain("reaches 0 of 4");
  });

  test("refuses what is no port", async () => {
    expect((await allows("web", "api", "tcp/0")).code).toBe(2);
    expect((await allows("web", "api", "icmp/8")).code).toBe(3);
  });
});

import { describe, expect, test } from "vitest";
import type { Flow, FlowData, FlowEnd, Passage, WorkloadEnd } from "../../src/domain/flow.ts";
import { flowEndOf } from "../../src/identity/flow-end.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { nearMisses } from "../../src/policy/intent/near-misses.ts";
import { verdictOn } from "../../src/policy/intent/verdict.ts";
import { reasonText } from "../../src/policy/intent/words.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { catalogueOf, must, NOON, objectsOf } from "../fakes/judging.ts";

const segment = (name: string, spec: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: ${name}}, spec: {${spec}}}\n---\n`;
const role = (name: string, of: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: ${name}}, spec: {segment: ${of}, match: {serviceAccounts: [${name}]}}}\n---\n`;
const namespace = (name: string, enrol: boolean): string =>
  `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}${enrol ? ', labels: {signet.dev/enrol: "true"}' : ""}}}\n---\n`;
const policy = (where: string, of: string, line: string, more = ""): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: p, namespace: ${where}${more}}, spec: {segment: ${of}, allow: [${line}]}}\n---\n`;
const guardrail = (spec: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: Guardrail, metadata: {name: base}, spec: {${spec}}}\n---\n`;
const exception = (sentence: string, more = ""): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: SegmentException, metadata: {name: x, namespace: pay}, spec: {permit: {sentence: {${sentence}}}, workloads: {role: db}, reason: legacy, expires: 2026-12-24T00:00:00Z${more}}}\n---\n`;
const restriction = (target: string): string =>
  `{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q}, spec: {target: ${target}, effect: quarantine, reason: stolen}}\n---\n`;

const NAMESPACES = namespace("pay", true) + namespace("shop", true) + namespace("lab", false);
const ROLES = role("db", "payments") + role("web", "shop") + role("trial", "lab");
const PAYMENTS = segment(
  "payments",
  "environment: prod, classification: pci, policyApproval: none, namespaces: [pay], mode: enforce",
);
const SHOP = segment("shop", "environment: prod, namespaces: [shop], mode: enforce");
const LAB = segment("lab", "environment: test, namespaces: [lab]");
const BASE = NAMESPACES + ROLES + PAYMENTS + SHOP + LAB;
const WEB_TO_DB = "{from: {role: web}, to: {role: db}, 'on': [tcp/5432], why: orders}";

/** A Pod of an account, under a catalogue. */
function pod(yaml: string, place: string, account: string, name = "p"): FlowEnd {
  const [object] = objectsOf(
    `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: ${place}, labels: {app: ${name}}}, spec: {serviceAccountName: ${account}}}`,
  );
  if (!object) throw new Error("no Pod");
  const workload = must(readWorkload(object, { namespace: place }));
  if (!workload) throw new Error("no workload");
  return flowEndOf(catalogueOf(yaml), workload, { ports: [{ name: "sql", protocol: "tcp", port: 5432 }] });
}

const ENDS: Readonly<Record<string, (yaml: string) => FlowEnd>> = {
  cache: (yaml) => pod(yaml, "pay", "cache"),
  web: (yaml) => pod(yaml, "shop", "web"),
  db: (yaml) => pod(yaml, "pay", "db"),
  trial: (yaml) => pod(yaml, "lab", "trial"),
  nobodyInPay: (yaml) => pod(yaml, "pay", "other"),
  nobodyInLab: (yaml) => pod(yaml, "lab", "other"),
  monitoring: (yaml) => pod(yaml, "monitoring", "default", "prometheus"),
  internet: () => ({ kind: "outside", addresses: { family: 4, first: 0x01020304n, last: 0x01020304n } }),
  bank: () => ({ kind: "outside", dnsNames: ["api.bank.example"], identity: "" }),
  partner: () => ({ kind: "outside", dnsNames: [], identity: "spiffe://partner.example/ns/a/sa/b" }),
  node: () => ({ kind: "node", name: "n1" }),
};

const workload = (end: FlowEnd): WorkloadEnd => {
  if (end.kind !== "workload") throw new Error("no workload");
  return end;
};

type Asked = { on?: Passage; at?: string; data?: FlowData };

/** What is said of a flow: allowed or not, and why. */
function said(yaml: string, from: string, to: string, { on = { protocol: "tcp", port: 5432 }, at, data }: Asked = {}) {
  const ends = [from, to].map((name) => ENDS[name]?.(yaml));
  if (!ends[0] || !ends[1]) throw new Error(`no end ${from} or ${to}`);
  const flow: Flow = { from: ends[0], to: ends[1], passage: on, ...(data ? { data } : {}) };
  const intent = compileIntent(catalogueOf(yaml));
  const now = at === undefined ? NOON : Date.parse(at);
  const verdict = verdictOn(intent, flow, now);
  return {
    verdict,
    line: `${verdict.allowed ? "allowed" : "denied"}: ${reasonText(verdict.reason)}`,
    near: nearMisses(intent, flow, now),
  };
}

const line = (...args: Parameters<typeof said>): string => said(...args).line;

const SENTENCE = policy("pay", "payments", WEB_TO_DB);
const OPENED = "allowed: Opened by SegmentPolicy pay/p, spec.allow[0] (test.yaml:19): orders.";
const CLOSED = "denied: Nothing opens it, and segment payments is in force (mode enforce).";
const CLOSED_SHOP = "denied: Nothing opens it, and segment shop is in force (mode enforce).";
const FREE = "allowed: Its segment, if any, is not in force here.";

describe("default deny", () => {
  test("nothing reaches an enforced segment by itself", () => expect(line(BASE, "trial", "db")).toBe(CLOSED));
  test("nor leaves one", () => expect(line(BASE, "web", "internet")).toBe(CLOSED_SHOP));
  test("a segment that is observed only denies nothing", () =>
    expect([line(BASE, "trial", "internet"), line(BASE, "nobodyInLab", "trial")]).toEqual([FREE, FREE]));
  test("a Pod without a role in an enrolled namespace of a segment in force is enclosed too", () =>
    expect(line(BASE, "nobodyInPay", "internet")).toBe(
      "denied: Nothing opens it, and segment payments is in force (mode enforce) in the enrolled namespace pay.",
    ));
  test("in a namespace that is not enrolled it is not", () =>
    expect(line(BASE.replace(namespace("pay", true), namespace("pay", false)), "nobodyInPay", "internet")).toBe(FREE));
  test("a canary encloses those that it names", () => {
    const canary = (named: string) =>
      BASE.replace(LAB, segment("lab", `namespaces: [lab], mode: canary, canary: {workloads: [${named}]}`));
    expect([line(canary("lab/p"), "trial", "internet"), line(canary("lab/q"), "trial", "internet")]).toEqual([
      "denied: Nothing opens it, and segment lab is in force (mode canary).",
      FREE,
    ]);
  });
});

describe("a sentence", () => {
  test("opens both doors, and is named with its place and reason", () => {
    const { verdict, line: text } = said(BASE + SENTENCE, "web", "db");
    expect(text).toBe(OPENED);
    expect([verdict.egress.allowed, verdict.ingress.allowed, verdict.data, verdict.approval]).toEqual([
      true,
      true,
      "any",
      "unchecked",
    ]);
  });
  test("opens its own port only", () => {
    const other = said(BASE + SENTENCE, "web", "db", { on: { protocol: "tcp", port: 5433 } });
    expect([other.line, other.near]).toEqual([
      CLOSED_SHOP,
      ["SegmentPolicy pay/p, spec.allow[0] (test.yaml:19) opens tcp/5432 only."],
    ]);
  });
  test("opens one direction only", () => expect(line(BASE + SENTENCE, "db", "web")).toBe(CLOSED));
  test("names a port that is looked up at the destination, by protocol", () => {
    const named = (port: string) => BASE + policy("pay", "payments", WEB_TO_DB.replace("tcp/5432", port));
    expect([line(named("tcp/sql"), "web", "db"), line(named("udp/sql"), "web", "db")]).toEqual([OPENED, CLOSED_SHOP]);
  });
  test("counts from notBefore on, and before expires", () => {
    const timed =
      BASE +
      policy(
        "pay",
        "payments",
        WEB_TO_DB.replace("why", "notBefore: 2026-12-01T00:00:00Z, expires: 2027-01-01T00:00:00Z, why"),
      );
    const before = said(timed, "web", "db", { at: "2026-11-30T23:59:59Z" });
    const during = line(timed, "web", "db", { at: "2026-12-01T00:00:00Z" });
    const after = said(timed, "web", "db", { at: "2027-01-01T00:00:00Z" });
    expect([before.line, before.near, during, after.line, after.near]).toEqual([
      CLOSED_SHOP,
      ["SegmentPolicy pay/p, spec.allow[0] (test.yaml:19) begins at 2026-12-01T00:00:00Z."],
      `${OPENED} It ends at 2027-01-01T00:00:00Z.`,
      CLOSED_SHOP,
      ["SegmentPolicy pay/p, spec.allow[0] (test.yaml:19) ended at 2027-01-01T00:00:00Z."],
    ]);
  });
  test("of a segment that does not own the destination has no effect", () => {
    const foreign = said(BASE + policy("shop", "shop", WEB_TO_DB), "web", "db");
    expect([foreign.line, foreign.near]).toEqual([
      CLOSED_SHOP,
      [
        "SegmentPolicy shop/p, spec.allow[0] (test.yaml:19) is written by segment shop, which does not own the destination.",
      ],
    ]);
  });
  test("in a namespace that its segment does not own has no effect", () => {
    const stray = said(BASE + policy("lab", "payments", WEB_TO_DB), "web", "db");
    expect([stray.line, stray.near]).toEqual([
      CLOSED_SHOP,
      ["SegmentPolicy lab/p, spec.allow[0] (test.yaml:19) stands in a namespace that its segment does not own."],
    ]);
  });
  test("towards the outside is written by the owner of the source", () => {
    const outward = (to: string, by: string) =>
      BASE + policy(by === "shop" ? "shop" : "pay", by, `{from: {role: web}, to: ${to}, 'on': [tcp/443]}`);
    const on: Passage = { protocol: "tcp", port: 443 };
    expect([
      line(outward("{cidr: 1.2.3.0/24}", "shop"), "web", "internet", { on }),
      line(outward("{fqdn: '*.bank.example'}", "shop"), "web", "bank", { on }),
      line(
        outward("{namespace: {name: monitoring, podLabels: {matchLabels: {app: prometheus}}}}", "shop"),
        "web",
        "monitoring",
        { on },
      ),
      line(outward("{cidr: 1.2.3.0/24}", "payments"), "web", "internet", { on }),
    ]).toEqual([
      "allowed: Opened by SegmentPolicy shop/p, spec.allow[0] (test.yaml:19).",
      "allowed: Opened by SegmentPolicy shop/p, spec.allow[0] (test.yaml:19).",
      "allowed: Opened by SegmentPolicy shop/p, spec.allow[0] (test.yaml:19).",
      CLOSED_SHOP,
    ]);
  });
  test("from the outside is written by the owner of the destination; a federated identity is one of the outside", () => {
    const inward = (from: string) => BASE + policy("shop", "shop", `{from: ${from}, to: {role: web}, 'on': [tcp/443]}`);
    const on: Passage = { protocol: "tcp", port: 443 };
    const opened = "allowed: Opened by SegmentPolicy shop/p, spec.allow[0] (test.yaml:19).";
    expect([
      line(inward("{entity: outside}"), "internet", "web", { on }),
      line(inward("{externalIdentity: 'spiffe://partner.example/ns/a/sa/b'}"), "partner", "web", { on }),
      line(inward("{externalIdentity: 'spiffe://partner.example/ns/a/sa/c'}"), "partner", "web", { on }),
      line(inward("{entity: nodes}"), "node", "web", { on }),
      line(inward("{entity: nodes}"), "internet", "web", { on }),
    ]).toEqual([opened, opened, CLOSED_SHOP, opened, CLOSED_SHOP]);
  });
  test("that a segment demands approval for counts unchecked in a folder, and not where a server holds it unapproved", () => {
    const strict = BASE.replace("policyApproval: none, ", "");
    const held = said(strict + policy("pay", "payments", WEB_TO_DB, ", uid: u1, generation: 2"), "web", "db");
    expect([line(strict + SENTENCE, "web", "db"), held.line, held.near]).toEqual([
      OPENED,
      CLOSED_SHOP,
      ["SegmentPolicy pay/p, spec.allow[0] (test.yaml:19) is not approved."],
    ]);
  });
  test("reaches ICMP by type, and an unknown type only if every type is meant", () => {
    const ping = (on: string) => BASE + policy("pay", "payments", WEB_TO_DB.replace("tcp/5432", on));
    const asked = (on: string, type?: number) =>
      said(ping(on), "web", "db", { on: type === undefined ? { protocol: "icmp" } : { protocol: "icmp", type } })
        .verdict.allowed;
    expect([asked("icmp/8", 8), asked("icmp/8", 0), asked("icmp/8"), asked("icmp")]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});

describe("data is a dimension of its own", () => {
  const limited =
    BASE +
    policy(
      "pay",
      "payments",
      WEB_TO_DB.replace("why", "data: {protocol: postgres, operations: [select], tables: [orders]}, why"),
    );
  test("a flow that does not say what it carries is allowed, and the limit is told", () => {
    const { verdict, line: text } = said(limited, "web", "db");
    expect([text, verdict.data]).toEqual([
      `${OPENED} For postgres select on orders only.`,
      [{ protocol: "postgres", operations: ["select"], tables: ["orders"], required: false }],
    ]);
  });
  test("a flow that does is held to it", () => {
    const asked = (data: FlowData) => said(limited, "web", "db", { data }).verdict.allowed;
    expect([
      asked({ protocol: "postgres", operation: "SELECT", table: "orders" }),
      asked({ protocol: "postgres", operation: "delete", table: "orders" }),
      asked({ protocol: "postgres", operation: "select", table: "cards" }),
      asked({ protocol: "postgres", operation: "select" }),
      asked({ protocol: "mysql", operation: "select", table: "orders" }),
    ]).toEqual([true, false, false, false, false]);
    expect(line(limited, "web", "db", { data: { protocol: "mysql" } })).toBe(
      "denied: Opened by SegmentPolicy pay/p, spec.allow[0] (test.yaml:19), but not for this data.",
    );
  });
  test("a sentence without limits beside it lifts them", () =>
    expect(
      said(limited + SENTENCE.replace("name: p,", "name: q,"), "web", "db", { data: { protocol: "mysql" } }).verdict
        .allowed,
    ).toBe(true));
});

describe("guardrails", () => {
  test("a denial ends what a sentence opens", () =>
    expect(
      line(
        BASE +
          SENTENCE +
          guardrail("deny: [{from: {segment: shop}, to: {classification: pci}, 'on': [tcp], why: scope}]"),
        "web",
        "db",
      ),
    ).toBe("denied: Denied by Guardrail base, spec.deny[0] (test.yaml:21): scope."));
  test("a denial without ports denies every port", () =>
    expect(
      said(BASE + guardrail("deny: [{from: {entity: any}, to: {role: trial}}]"), "internet", "trial").verdict.allowed,
    ).toBe(false));
  test("a fence parts different values, whatever the modes, and leaves the unvalued alone", () => {
    const fenced =
      BASE +
      guardrail("fences: [environment]") +
      policy("pay", "payments", "{from: {role: trial}, to: {role: db}, 'on': [any]}");
    const open = BASE.replace("mode: enforce", "mode: observe").replace("mode: enforce", "mode: observe");
    expect([
      line(fenced, "trial", "db"),
      line(open + guardrail("fences: [environment]"), "trial", "db"),
      line(fenced, "trial", "internet"),
      line(fenced + guardrail("fences: [classification]").replace("base", "more"), "trial", "nobodyInLab"),
    ]).toEqual([
      "denied: The environment fence of Guardrail base, spec.fences[0] (test.yaml:19) stands between test and prod.",
      "denied: The environment fence of Guardrail base, spec.fences[0] (test.yaml:19) stands between test and prod.",
      FREE,
      FREE,
    ]);
  });
  test("an allow opens to everybody it names, as DNS", () =>
    expect(
      line(
        BASE + guardrail("allow: [{from: {entity: any}, to: {namespace: {name: monitoring}}, 'on': [udp/53]}]"),
        "db",
        "monitoring",
        {
          on: { protocol: "udp", port: 53 },
        },
      ),
    ).toBe("allowed: Opened by Guardrail base, spec.allow[0] (test.yaml:19)."));
  test("a denial by a name closes an outside end whose name is not known, and says so", () =>
    expect(line(BASE + guardrail("deny: [{from: {entity: any}, to: {fqdn: evil.example}}]"), "trial", "internet")).toBe(
      "denied: Denied by Guardrail base, spec.deny[0] (test.yaml:19). Whether it means this is not known.",
    ));
});

describe("an exception", () => {
  const FENCED = BASE + guardrail("fences: [environment]");
  const EXACT = "from: {role: trial}, to: {role: db}, 'on': [tcp/5432]";
  test("that names exactly this crosses a fence until it ends", () => {
    const granted = FENCED + exception(EXACT);
    expect([line(granted, "trial", "db"), line(granted, "trial", "db", { at: "2026-12-24T00:00:00Z" })]).toEqual([
      "allowed: Opened by SegmentException pay/x, spec.permit.sentence (test.yaml:21), which lifts Guardrail base, spec.fences[0] (test.yaml:19): legacy. It ends at 2026-12-24T00:00:00Z.",
      "denied: The environment fence of Guardrail base, spec.fences[0] (test.yaml:19) stands between test and prod.",
    ]);
  });
  test("that names a crowd, another port, or is for a role that neither end holds, does not", () => {
    const crowd = FENCED + exception(EXACT.replace("{role: trial}", "{segment: lab}"));
    const stranger = FENCED + exception(EXACT).replace("workloads: {role: db}", "workloads: {role: web}");
    const said = [crowd, stranger].map((yaml) => line(yaml, "trial", "db"));
    const port = line(FENCED + exception(EXACT), "trial", "db", { on: { protocol: "tcp", port: 5433 } });
    expect([...said, port].every((text) => text.startsWith("denied: The environment fence"))).toBe(true);
  });
  test("opens what no sentence does", () =>
    expect(line(BASE + exception("from: {segment: shop}, to: {role: db}, 'on': [tcp/5432]"), "web", "db")).toBe(
      "allowed: Opened by SegmentException pay/x, spec.permit.sentence (test.yaml:19): legacy. It ends at 2026-12-24T00:00:00Z.",
    ));
  test("that a server holds unapproved counts for nothing", () =>
    expect(line(BASE + exception(EXACT).replace("name: x,", "name: x, uid: u,"), "trial", "db")).toBe(CLOSED));
});

test("a quarantine cuts off both ways, and above all else", () => {
  const cut =
    BASE +
    SENTENCE +
    guardrail("allow: [{from: {entity: any}, to: {entity: any}, 'on': [any]}]") +
    restriction("{role: db}");
  const text = "denied: pay/p[Pod] is in quarantine by Restriction q, spec.target (test.yaml:23): stolen";
  expect([line(cut, "web", "db"), line(cut, "db", "internet"), line(cut, "web", "internet")]).toEqual([
    text,
    text,
    "allowed: Opened by Guardrail base, spec.allow[0] (test.yaml:21).",
  ]);
});

test("a Restriction with a UID means no other object of that name", () => {
  const cut = (uid: string) => BASE + SENTENCE + restriction(`{pod: {namespace: pay, name: p, uid: ${uid}}}`);
  const end: FlowEnd = {
    ...workload(pod(BASE, "pay", "db")),
    object: { kind: "Pod", namespace: "pay", name: "p", uid: "u1" },
  };
  const allowed = (yaml: string): boolean =>
    verdictOn(
      compileIntent(catalogueOf(yaml)),
      { from: pod(yaml, "shop", "web"), to: end, passage: { protocol: "tcp", port: 5432 } },
      NOON,
    ).allowed;
  expect([allowed(cut("u1")), allowed(cut("u2"))]).toEqual([false, true]);
});

test("intra: allow lets the roles of one segment talk", () => {
  const open =
    NAMESPACES + ROLES + role("cache", "payments") + PAYMENTS.replace("mode", "intra: allow, mode") + SHOP + LAB;

  expect([line(open, "cache", "db"), line(open, "web", "db")]).toEqual([
    "allowed: Segment payments lets its roles talk (intra: allow).",
    CLOSED_SHOP,
  ]);
});

describe("what is unknown or contradicts itself is denied, and told", () => {
  const flow = (change: object, passage: object = { protocol: "tcp", port: 5432 }): string => {
    const intent = compileIntent(catalogueOf(BASE + SENTENCE));
    const to = { ...pod(BASE, "pay", "db"), ...change } as FlowEnd;
    return reasonText(
      verdictOn(intent, { from: pod(BASE, "shop", "web"), to, passage: passage as Passage }, NOON).reason,
    );
  };
  test.each([
    [{ role: "ghost" }, "Denied: role ghost is not in the catalogue."],
    [{ segment: "shop" }, "Denied: role db is in segment payments, not shop."],
    [{ environment: "test" }, "Denied: the environment of segment payments is prod, not test."],
    [{ classification: undefined }, "Denied: the classification of segment payments is pci, not none."],
    [{ role: undefined }, "Denied: an end is in segment payments and has no role."],
  ])("%j", (change, text) => expect(flow(change)).toBe(text));
  test.each([
    [{ protocol: "tcp", port: 0 }, "Denied: tcp has no port 0."],
    [{ protocol: "tcp", port: 65536 }, "Denied: tcp has no port 65536."],
    [{ protocol: "tcp", port: Number.NaN }, "Denied: tcp has no port NaN."],
    [{ protocol: "icmp", type: 256 }, "Denied: icmp has no type 256."],
    [{ protocol: "icmp", port: 8 }, "Denied: icmp has no ports."],
    [{ protocol: "tcp" }, "Denied: tcp needs a port."],
    [{ protocol: "gre", port: 1 }, 'Denied: there is no protocol "gre".'],
  ])("%j", (passage, text) => expect(flow({}, passage)).toBe(text));
});

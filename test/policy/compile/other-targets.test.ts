import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Catalogue } from "../../../src/domain/catalogue.ts";
import { type Compilation, compile, type Order } from "../../../src/policy/compile/compile.ts";
import { hbaText, withMoreOfOurs, withOurLines } from "../../../src/policy/compile/database-access.ts";
import { doorsOf, type Site } from "../../../src/policy/compile/doors.ts";
import { databaseAccess } from "../../../src/policy/compile/postgres.ts";
import type { Rendered } from "../../../src/policy/compile/rendered.ts";
import type { TargetName } from "../../../src/policy/compile/targets.ts";
import { compileIntent } from "../../../src/policy/intent/intent.ts";
import { isInside } from "../../../src/policy/model/endpoint.ts";
import { siteOf } from "../../../src/reconcile/policies/site.ts";
import { parseAddress, setOf } from "../../../src/policy/sets/address-set.ts";
import { must, NOON } from "../../fakes/judging.ts";
import { estate, estateMembers, PARTS } from "./estate.ts";
import { POD_NETWORK, siteCases } from "./random-site.ts";

const SITE: Site = { canaries: [], machines: [], pods: [], networks: [], podNetworks: POD_NETWORK };

const compiled = (catalogue: Catalogue, targets: readonly TargetName[], more: Partial<Order> = {}): Compilation =>
  must(
    compile({
      intent: compileIntent(catalogue),
      site: SITE,
      targets,
      foreign: [],
      members: estateMembers(catalogue),
      now: NOON,
      ...more,
    }),
  );

const address = (text: string) => {
  const block = parseAddress(text);
  if (!block) throw new Error(text);
  return setOf(block);
};

/** The estate with a database on a machine and a function that calls it. */
const MACHINES: Site = {
  ...SITE,
  machines: [
    { namespace: "pay", name: "db-vm", kind: "Machine", role: "db", addresses: address("10.9.0.7") },
    { namespace: "shop", name: "mailer", kind: "Function", role: "web", addresses: address("10.9.0.8") },
  ],
  pods: [
    { namespace: "shop", name: "web-1", kind: "Pod", role: "web", addresses: address("10.0.0.5") },
    { namespace: "lab", name: "trial-1", kind: "Pod", role: "trial", addresses: address("10.0.0.6") },
  ],
};

/** Sentences with data clauses. */
const withData = (...clauses: readonly string[]) =>
  estate({
    sentences: [
      `{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: d, namespace: pay}, spec: {segment: payments, allow: [${clauses
        .map((data) => `{from: {role: web}, to: {role: db}, 'on': [tcp/5432], data: {${data}}, why: orders}`)
        .join(", ")}]}}`,
    ],
  });

const ORDERS =
  "{apiVersion: signet.dev/v1alpha1, kind: SegmentPolicy, metadata: {name: d, namespace: pay}, spec: {segment: payments, allow: [{from: {role: web}, to: {role: db}, 'on': [tcp/5432], data: {protocol: postgres, operations: [select], tables: [orders]}, why: orders}]}}";

const specOf = (object: Rendered | undefined): unknown => {
  if (!object) throw new Error("no object");
  return object.spec;
};

describe("CiliumNetworkPolicy", () => {
  test("admits no more than the intent between any workloads: it has denials of its own", () => {
    fc.assert(
      fc.property(siteCases, ({ catalogue, members, now }) => {
        const { widening } = compiled(catalogue, ["ciliumnetworkpolicy"], { members, now });
        const known = widening.filter(
          ({ rule, code }) => !rule.startsWith("Restriction") && code !== "PROTOCOL_UNSUPPORTED",
        );
        expect(known).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  /** What each target is told once for itself, whatever it means: two that share the work are told it twice. */
  const OF_TARGETS = new Set<string>([
    "EXPIRY_BY_CONTROLLER",
    "IDENTITY_AS_LABEL",
    "STARTUP_WINDOW",
    "ESTABLISHED_SURVIVES",
  ]);

  test("means for the estate exactly what NetworkPolicies with a tier above mean", () => {
    const told = (targets: readonly TargetName[]) => {
      const { losses, widening } = compiled(estate(), targets);
      const pairs = losses.map(({ code, rule, residual }) => ({ code, rule, residual }));
      return { widening, pairs: pairs.filter(({ code }) => !OF_TARGETS.has(code)) };
    };
    expect(told(["ciliumnetworkpolicy"])).toEqual(told(["networkpolicy", "clusternetworkpolicy"]));
  });

  test("as Kubernetes objects, with methods and paths of HTTP", async () => {
    const catalogue = withData("protocol: http, operations: [get], paths: [/api/*]");
    const objects = compiled(catalogue, ["ciliumnetworkpolicy"]).compiled.get("ciliumnetworkpolicy");
    await expect(`${JSON.stringify(objects, null, 2)}\n`).toMatchFileSnapshot(
      "../../golden/compile/estate.cilium.json",
    );
    expect(JSON.stringify(objects)).toContain('{"http":[{"method":"GET","path":"/api/.*"}]}');
  });
});

test("where a Pod is under quarantine, no NetworkPolicy of its namespace selects what is marked, of whatever role", () => {
  const rulings = [{ object: "Restriction q", path: "spec.target" }];
  const site: Site = { ...SITE, quarantined: [{ namespace: "pay", role: "db", rulings }] };
  const { compiled: objects } = compiled(estate(), ["networkpolicy"], { site });
  const unmarked = { key: "signet.dev/quarantine", operator: "DoesNotExist" };
  const selects = (object: Rendered): boolean =>
    !JSON.stringify((specOf(object) as { podSelector: unknown }).podSelector).includes(JSON.stringify(unmarked));
  const all = (objects.get("networkpolicy") ?? []).filter(({ metadata }) => metadata.namespace === "pay");
  expect(all.map(({ metadata }) => metadata.name)).toEqual([
    "signet",
    "signet-role-cache",
    "signet-role-db",
    "signet-quarantine",
  ]);
  expect(all.filter(selects).map(({ metadata }) => metadata.name)).toEqual(["signet-quarantine"]);
});

test("a Pod under quarantine in Cilium is cut off from Pods, hosts and the world", () => {
  const rulings = [{ object: "Restriction q", path: "spec.target" }];
  const site: Site = { ...SITE, quarantined: [{ namespace: "pay", role: "db", rulings }] };
  const { compiled: objects } = compiled(estate(), ["ciliumnetworkpolicy"], { site });
  const found = objects.get("ciliumnetworkpolicy")?.find(({ metadata }) => metadata.name === "signet-quarantine");
  expect(specOf(found)).toEqual({
    endpointSelector: {
      matchExpressions: [
        { key: "k8s:io.kubernetes.pod.namespace", operator: "Exists" },
        { key: "k8s:signet.dev/quarantine", operator: "Exists" },
      ],
    },
    enableDefaultDeny: { ingress: false, egress: false },
    ingressDeny: [{ fromEntities: ["all"] }],
    egressDeny: [{ toEntities: ["all"] }],
  });
});

describe("AuthorizationPolicy for ztunnel", () => {
  test("alone leaves open what it never sees: UDP, the way out, and machines", () => {
    const { widening } = compiled(estate(), ["istio-ztunnel"]);
    expect([...new Set(widening.map(({ code }) => code))].sort()).toEqual(["PROTOCOL_UNSUPPORTED", "TARGET_ABSENT"]);
  });

  test("beside NetworkPolicies and fences adds nothing and takes nothing that is TCP by number", () => {
    const { widening } = compiled(estate(), ["networkpolicy", "clusternetworkpolicy", "istio-ztunnel"]);
    expect(widening).toEqual([]);
  });

  test("a Pod on the host network passes it by, beside one of its role that does not", () => {
    const catalogue = estate();
    const members = estateMembers(catalogue).flatMap(({ end, endpoint }) => {
      if (end.role !== "db" || endpoint.kind !== "workload") return [{ end, endpoint }];
      const traits = { ...endpoint.traits, host: { labels: {}, complete: true } };
      const onHost = { end, endpoint: { ...endpoint, text: "pay/db-host[Pod]", traits } };
      return [{ end, endpoint }, onHost];
    });
    const { widening } = compiled(catalogue, ["istio-ztunnel"], { members });
    const hosts = widening.filter(({ code }) => code === "HOSTNETWORK_UNSELECTED");
    expect(hosts.flatMap(({ workloads }) => workloads)).toContain("pay/db-host[Pod]");
  });

  test("two roles of one account are one caller to it, and it says so", () => {
    const shared = estate({
      roles: PARTS.roles.map((text) => text.replace("serviceAccounts: [batch]", "serviceAccounts: [web]")),
    });
    const { losses } = compiled(shared, ["istio-ztunnel"]);
    const residual = losses.filter(({ code }) => code === "IDENTITY_SHARED").flatMap((loss) => loss.residual);
    const found = residual.find(({ from, to }) => from === "shop/(any Pod of role batch)" && to === "pay/db-0[Pod]");
    expect(found?.on).toMatch(/^tcp\/5432/);
  });

  test("an L7 attribute is never given to it: it would ignore such a denial, and leave out such an allow", () => {
    const catalogue = withData("protocol: http, operations: [get]");
    const { compiled: objects, losses } = compiled(catalogue, ["istio-ztunnel"]);
    expect(JSON.stringify(objects.get("istio-ztunnel"))).not.toMatch(/methods|paths|hosts/);
    expect(losses.filter(({ code }) => code === "L7_UNENFORCED").length).toBe(1);
  });

  test("a label peer has no form in it: Pods without a role stay out", () => {
    const text = JSON.stringify(compiled(estate(), ["istio-ztunnel"]).compiled.get("istio-ztunnel"));
    expect(text).not.toContain("podSelector");
    expect(text).toContain('"principals":["cluster.local/ns/shop/sa/web"]');
  });

  test("a waypoint's rules come with one for ztunnel that admits the waypoint alone", () => {
    const catalogue = withData("protocol: http, operations: [get], paths: [/api/*]");
    const specs = (compiled(catalogue, ["istio-waypoint"]).compiled.get("istio-waypoint") ?? []).map(
      ({ spec }) => spec,
    );
    expect(specs).toEqual([
      {
        targetRefs: [{ group: "", kind: "Service", name: "db" }],
        action: "ALLOW",
        rules: [
          {
            from: [{ source: { principals: ["cluster.local/ns/shop/sa/web"] } }],
            to: [{ operation: { ports: ["5432"], methods: ["GET"], paths: ["/api/*"] } }],
          },
          {
            from: [{ source: { principals: ["cluster.local/ns/lab/sa/trial"] } }],
            to: [{ operation: { ports: ["5433"] } }],
          },
        ],
      },
      {
        selector: { matchLabels: { "signet.dev/role": "db" } },
        action: "ALLOW",
        rules: [{ from: [{ source: { principals: ["cluster.local/ns/pay/sa/waypoint"] } }] }],
      },
    ]);
  });
});

describe("nftables on a machine", () => {
  const rules = () => {
    const [only] = compiled(estate(), ["nftables"], { site: MACHINES }).compiled.get("nftables") ?? [];
    return (specOf(only) as { readonly text: string }).text;
  };

  test("as text, with an end that the kernel keeps", async () => {
    await expect(rules()).toMatchFileSnapshot("../../golden/compile/estate.nft");
    expect(rules()).toContain(`timeout ${(Date.parse("2026-12-24T00:00:00Z") - NOON) / 1000}s`);
  });
});

describe("a quarantine on a machine's rules", () => {
  const addresses = (text: string): readonly string[] => text.match(/\d+\.\d+\.\d+\.\d+/g) ?? [];
  const rules = (site: Site): string => {
    const [only] = compiled(estate(), ["nftables"], { site }).compiled.get("nftables") ?? [];
    return (specOf(only) as { readonly text: string }).text;
  };
  const cut = <T>(one: T) => ({ ...one, quarantined: true as const });

  test("takes the addresses of the Pod, or of the machine, that it is about", () => {
    const [db, mailer] = MACHINES.machines;
    const [web, trial] = MACHINES.pods;
    if (!db || !mailer || !web || !trial) throw new Error("no machines");
    expect(addresses(rules(MACHINES))).toEqual(expect.arrayContaining(["10.9.0.8", "10.0.0.5", "10.0.0.6"]));
    const left = rules({ ...MACHINES, machines: [db, cut(mailer)], pods: [cut(web), trial] });
    expect(addresses(left)).toContain("10.0.0.6");
    expect(addresses(left).filter((one) => ["10.9.0.8", "10.0.0.5"].includes(one))).toEqual([]);
  });

  test("closes the machine itself", () => {
    const [db, mailer] = MACHINES.machines;
    if (!db || !mailer) throw new Error("no machines");
    const text = rules({ ...MACHINES, machines: [cut(db), mailer] });
    expect(text).toContain("policy drop");
    expect(addresses(text)).toEqual([]);
  });

  test("is read off who is named: by identity, or by Pod", () => {
    const restrictions = ["identity: 'spiffe://cluster.local/ns/pay/sa/db'", "pod: {namespace: shop, name: web}"].map(
      (target, index) =>
        `{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q${index}}, spec: {target: {${target}}, effect: quarantine, reason: stolen}}`,
    );
    const catalogue = estate({ restrictions });
    const members = estateMembers(catalogue).map((member) =>
      isInside(member.endpoint)
        ? {
            ...member,
            endpoint: { ...member.endpoint, traits: { ...member.endpoint.traits, addresses: address("10.0.0.9") } },
          }
        : member,
    );
    const site = siteOf({ catalogue, members, attachments: [], podNetworks: POD_NETWORK });
    expect(site.pods.filter(({ quarantined }) => quarantined).map(({ name }) => name)).toEqual(["db", "web"]);
  });
});

test("security groups know groups and addresses, and denials are taken out already", () => {
  const groups = compiled(estate(), ["securitygroups"], { site: MACHINES }).compiled.get("securitygroups") ?? [];
  const db = groups.find(({ metadata }) => metadata.name === "signet-db");
  const web = (ports: readonly [number, number], line: string) => ({
    protocol: "tcp",
    fromPort: ports[0],
    toPort: ports[1],
    group: "signet-web",
    description: `SegmentPolicy ${line}`,
  });
  expect(db?.spec).toEqual({
    egress: [
      {
        protocol: "tcp",
        fromPort: 443,
        toPort: 443,
        cidr: "203.0.113.0/24",
        description: "SegmentPolicy pay/p, spec.allow[2]",
      },
      web([8080, 8084], "shop/p, spec.allow[0]"),
      web([8086, 8090], "shop/p, spec.allow[0]"),
    ],
    ingress: [web([5432, 5432], "pay/p, spec.allow[0]")],
  });
});

test("MultiNetworkPolicies repeat the rules on the secondary networks of a namespace, and nowhere else", () => {
  const site: Site = { ...SITE, networks: [{ namespace: "pay", name: "storage" }] };
  const policies = compiled(estate(), ["multinetworkpolicy"], { site }).compiled.get("multinetworkpolicy") ?? [];
  expect(
    policies.map(({ metadata }) => [metadata.namespace, metadata.annotations?.["k8s.v1.cni.cncf.io/policy-for"]]),
  ).toEqual([
    ["pay", "pay/storage"],
    ["pay", "pay/storage"],
    ["pay", "pay/storage"],
  ]);
});

describe("PostgreSQL", () => {
  test("grants the operations of a data clause on its tables, and lets certificates in under their own name", async () => {
    const catalogue = withData("protocol: postgres, operations: [select, insert], tables: [orders]");
    const [only] = compiled(catalogue, ["postgres"]).compiled.get("postgres") ?? [];
    const { sql, hba, ident } = specOf(only) as { readonly sql: string; readonly hba: string; readonly ident: string };
    await expect(`${sql}\n-- pg_hba.conf\n${hba}\n-- pg_ident.conf\n${ident}`).toMatchFileSnapshot(
      "../../golden/compile/estate.postgres.sql",
    );
  });

  test.each([
    [
      "a denial",
      {
        guardrails: [
          "{apiVersion: signet.dev/v1alpha1, kind: Guardrail, metadata: {name: g}, spec: {deny: [{from: {role: web}, to: {role: db}, why: x}]}}",
        ],
      },
    ],
    [
      "a fence",
      {
        segments: PARTS.segments.map((text) =>
          text.replace("environment: prod, namespaces: [shop]", "environment: test, namespaces: [shop]"),
        ),
      },
    ],
    [
      "a quarantine of the caller",
      {
        restrictions: [
          "{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q}, spec: {target: {role: web}, effect: quarantine, reason: stolen}}",
        ],
      },
    ],
  ] as const)("%s takes what a sentence grants", (_what, more) => {
    const grants = (changed: Parameters<typeof estate>[0]) => {
      const doors = doorsOf(compileIntent(estate({ sentences: [ORDERS], ...changed })), SITE, NOON);
      return [...databaseAccess(doors)].map(([server, { callers }]) => [server, callers.map(({ role }) => role)]);
    };
    expect([grants({}), grants(more)]).toEqual([[["db", ["web"]]], []]);
  });

  test("a quarantine takes what it is about from a role of several accounts: the account, or that of the Pod", () => {
    const roles = PARTS.roles.map((text) => text.replace("[web]", "[web, web-batch]"));
    const identity = "spiffe://cluster.local/ns/shop/sa/web-batch";
    const restrictions = [
      `{apiVersion: signet.dev/v1alpha1, kind: Restriction, metadata: {name: q}, spec: {target: {identity: '${identity}'}, effect: quarantine, reason: stolen}}`,
    ];
    const rulings = [{ object: "Restriction q", path: "spec.target" }];
    const access = (changed: Parameters<typeof estate>[0], site = SITE) =>
      databaseAccess(doorsOf(compileIntent(estate({ sentences: [ORDERS], roles, ...changed })), site, NOON)).get("db");
    expect(access({})?.callers).toEqual([{ role: "web", certificates: ["web.shop", "web-batch.shop"] }]);
    expect(access({ restrictions })?.callers).toEqual([{ role: "web", certificates: ["web.shop"] }]);
    const site: Site = { ...SITE, quarantined: [{ namespace: "shop", role: "web", rulings }] };
    expect(access({}, site)).toEqual({ callers: [], grants: [] });
  });

  test("who calls through a segment is granted role by role", () => {
    const sentences = [ORDERS.replace("{role: web}", "{segment: shop}")];
    const access = databaseAccess(doorsOf(compileIntent(estate({ sentences, guardrails: [] })), SITE, NOON));
    expect(access.get("db")).toEqual({
      callers: [
        { role: "batch", certificates: ["batch.shop"] },
        { role: "web", certificates: ["web.shop"] },
      ],
      grants: ["batch", "web"].flatMap((role) => [{ role, schema: "public", table: "orders", privilege: "SELECT" }]),
    });
  });

  test("certificates without a subject, and accounts of two roles, are told", () => {
    const codes = (roles: readonly string[]) =>
      compiled(estate({ sentences: [ORDERS], roles }), ["postgres"]).losses.map(({ code }) => code);
    const named = PARTS.roles.map((text) => text.replace("}}}", "}, identity: {subject: account}}}"));
    expect(codes(PARTS.roles)).toContain("SUBJECT_EMPTY");
    expect(codes(named)).not.toContain("SUBJECT_EMPTY");
    expect(codes(named)).not.toContain("IDENTITY_SHARED");
    expect(codes(named.map((text) => text.replace("[batch]", "[web]")))).toContain("IDENTITY_SHARED");
  });

  test("lines of ours stand before all others of a file, and go without a trace", () => {
    const others = "local all all trust\n";
    const [one, two] = [hbaText(["web"]), hbaText(["web", "batch"])];
    expect(withOurLines(others, one)).toBe(
      "# BEGIN Signet: written by `signet policy apply`\n" +
        'hostssl all "web" all cert map=signet\nhost all "web" all reject\nlocal all "web" reject\n' +
        "# END Signet\nlocal all all trust\n",
    );
    expect(withOurLines(withOurLines(others, two), one)).toBe(withOurLines(others, one));
    expect(withOurLines(withOurLines(others, one), "")).toBe(others);
    expect(withMoreOfOurs(withOurLines(others, "a\nb\n"), "b\nc\n")).toBe(withOurLines(others, "a\nb\nc\n"));
  });

  test("a clause that must be enforced blocks where no target looks at its data", () => {
    const catalogue = withData("protocol: postgres, operations: [select], tables: [orders], required: true");
    const blocking = (targets: readonly TargetName[]) => compiled(catalogue, targets).widening.map(({ code }) => code);
    expect(blocking(["networkpolicy", "clusternetworkpolicy"])).toEqual(["L7_UNENFORCED"]);
    expect(blocking(["networkpolicy", "clusternetworkpolicy", "postgres"])).toEqual([]);
  });
});

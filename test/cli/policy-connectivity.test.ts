import { describe, expect, test } from "vitest";
import { manifests } from "../conformance/netpol-analyzer-data.ts";
import { folderWith } from "./folder.ts";
import { runPolicy } from "./run-policy.ts";

const SHOP = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
status: {podIP: 10.0.0.7}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{ports: [{containerPort: 5432, name: sql}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: sql}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
  ingress:
  - from: [{ipBlock: {cidr: 2001:db8::/32}}]
    ports: [{port: 443}]
`;

describe("policy connectivity writes the list as", () => {
  test("text", () => {
    expect(runPolicy(["connectivity", folderWith(SHOP)]).out).toBe(
      "shop/web[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections\nshop/web[Pod] => shop/db[Pod] : TCP 5432\n",
    );
  });
  test("JSON", () => {
    expect(JSON.parse(runPolicy(["connectivity", folderWith(SHOP), "--output", "json"]).out)).toEqual([
      { src: "shop/web[Pod]", dst: "0.0.0.0-255.255.255.255[External]", conn: "All Connections" },
      { src: "shop/web[Pod]", dst: "shop/db[Pod]", conn: "TCP 5432" },
    ]);
  });
  test("JSON without connections where one port is asked for", () => {
    const args = ["--output", "json", "--focus-conn", "tcp-5432", "--focus-workload", "shop/db"];
    expect(JSON.parse(runPolicy(["connectivity", folderWith(SHOP), ...args]).out)).toEqual([
      { src: "shop/web[Pod]", dst: "shop/db[Pod]" },
    ]);
  });
  test("JSON with the network where there are several", () => {
    const ran = runPolicy(["connectivity", manifests("nad_test_3"), "--multiple-networks", "--output", "json"]);
    const rows = JSON.parse(ran.out) as readonly { readonly network: string }[];
    expect([...new Set(rows.map(({ network }) => network))]).toEqual(["pod-network", "secondary NAD l2-network"]);
  });
  test("comma-separated values", () => {
    expect(runPolicy(["connectivity", folderWith(SHOP), "--output", "csv"]).out).toBe(
      "src,dst,conn\nshop/web[Pod],0.0.0.0-255.255.255.255[External],All Connections\nshop/web[Pod],shop/db[Pod],TCP 5432\n",
    );
  });
  test("a Markdown table", () => {
    expect(runPolicy(["connectivity", folderWith(SHOP), "--output", "md", "--focus-workload", "db"]).out).toBe(
      "| src | dst | conn |\n| --- | --- | --- |\n| shop/web[Pod] | shop/db[Pod] | TCP 5432 |\n",
    );
  });
  test("a Graphviz graph", () => {
    const { out } = runPolicy(["connectivity", folderWith(SHOP), "--output", "dot"]);
    expect(out).toContain('"0 shop/web[Pod]" -> "0 shop/db[Pod]" [label="TCP 5432"];');
    expect(out).toMatch(/^digraph connectivity \{\n[\s\S]*\}\n$/);
  });
  test("an SVG picture whose cells say what they stand for", () => {
    const { out } = runPolicy(["connectivity", folderWith(SHOP), "--output", "svg"]);
    expect(out).toContain("<title>shop/web[Pod] =&gt; shop/db[Pod] : TCP 5432</title>");
    expect(out.match(/<rect x=/g)).toHaveLength(2);
  });
});

describe("policy allows", () => {
  const ask = (...args: readonly string[]) => runPolicy(["allows", folderWith(SHOP), ...args]);

  test("names the rule that decides at each door", () => {
    const ran = ask("web", "db", "TCP/5432");
    expect(ran.code).toBe(0);
    expect(ran.out.replaceAll(/\/\S*input/g, "input")).toBe(
      [
        "allowed: shop/web[Pod] => shop/db[Pod] on TCP 5432",
        "  egress:  allowed: no policy says anything",
        "  ingress: allowed by NetworkPolicy shop/db, ingress rule #1 (input.yaml:19)",
        "",
      ].join("\n"),
    );
  });
  test("says why not, at both doors", () => {
    const ran = ask("shop/db", "web", "udp/53");
    expect(ran.code).toBe(3);
    expect(ran.out.replaceAll(/\/\S*input/g, "input")).toBe(
      [
        "denied: shop/db[Pod] => shop/web[Pod] on UDP 53",
        "  egress:  denied: NetworkPolicy shop/db selects it, and none of its egress rules names the other end (input.yaml:12)",
        "  ingress: denied: NetworkPolicy shop/web selects it, and none of its ingress rules names the other end (input.yaml:22)",
        "",
      ].join("\n"),
    );
  });
  test("knows IPv6 addresses outside", () => {
    expect([ask("2001:db8::1", "web", "TCP/443").code, ask("2001:db9::1", "web", "TCP/443").code]).toEqual([0, 3]);
  });
  test("takes the address of a Pod for the Pod", () => {
    expect(ask("10.0.0.7", "db", "TCP/5432").out).toMatch(/^allowed: shop\/web\[Pod\] =>/);
  });
  test("refuses a name that nobody bears", () => {
    const ran = ask("wep", "db", "TCP/5432");
    expect({ code: ran.code, out: ran.out }).toEqual({ code: 2, out: "" });
    expect(ran.err).toContain("Workload wep does not exist in the input resources. [WORKLOAD_UNKNOWN]");
  });
  test("refuses a port that is none", () => {
    expect(ask("web", "db", "TCP/65536").err).toContain('"TCP/65536" is no port such as TCP/5432.');
  });
  test("answers in JSON", () => {
    const answer = JSON.parse(ask("web", "db", "TCP/5432", "--output", "json").out) as {
      readonly allowed: boolean;
      readonly networks: readonly { readonly ingress: object }[];
    };
    expect(answer.networks[0]?.ingress).toMatchObject({
      allowed: true,
      decidedBy: "rule",
      rules: [{ policy: "NetworkPolicy shop/db", rule: "#1", line: 19 }],
    });
  });
});

describe("policy diff", () => {
  const before = (): string => folderWith(SHOP);
  const after = (): string => folderWith(SHOP.replace("port: sql", "port: 5433"));

  test("shows what is gained and lost", () => {
    expect(runPolicy(["diff", before(), after()]).out).toBe(
      "+ shop/web[Pod] => shop/db[Pod] : TCP 5433\n- shop/web[Pod] => shop/db[Pod] : TCP 5432\n\n1 pair gained connections, 1 pair lost some.\n",
    );
  });
  test("writes Markdown for a pull request", () => {
    expect(runPolicy(["diff", before(), after(), "--output", "md"]).out).toBe(
      [
        "**Network policy:** 1 pair gained connections, 1 pair lost some.",
        "",
        "| From | To | Gained | Lost | Note |",
        "| --- | --- | --- | --- | --- |",
        "| shop/web[Pod] | shop/db[Pod] | TCP 5433 | TCP 5432 |  |",
        "",
      ].join("\n"),
    );
  });
  test("writes JSON", () => {
    expect(JSON.parse(runPolicy(["diff", before(), after(), "--output", "json"]).out)).toEqual([
      {
        change: "changed",
        src: "shop/web[Pod]",
        dst: "shop/db[Pod]",
        before: "TCP 5432",
        after: "TCP 5433",
        gained: "TCP 5433",
        lost: "TCP 5432",
      },
    ]);
  });
  test("writes SARIF with the place of the destination", () => {
    const log = JSON.parse(runPolicy(["diff", before(), after(), "--output", "sarif"]).out) as {
      readonly runs: readonly {
        readonly results: readonly {
          readonly ruleId: string;
          readonly locations: readonly { readonly physicalLocation: { readonly region: object } }[];
        }[];
      }[];
    };
    expect(
      log.runs[0]?.results.map(({ ruleId, locations }) => [ruleId, locations[0]?.physicalLocation.region]),
    ).toEqual([
      ["CONNECTION_GAINED", { startLine: 7, startColumn: 1 }],
      ["CONNECTION_LOST", { startLine: 7, startColumn: 1 }],
    ]);
  });
});

const admin = (spec: string): string =>
  `apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: {name: a}\nspec: {${spec}}\n`;
const cluster = (spec: string): string =>
  `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: c}\nspec: {${spec}}\n`;
const network = (spec: string): string =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: np, namespace: shop}\nspec: {${spec}}\n`;
const ALL = "subject: {namespaces: {}}";

/** One mistake each; the field that must be named. */
const MISTAKES: Readonly<Record<string, { readonly text: string; readonly field: string; readonly code: string }>> = {
  "a text where a map belongs": { text: network("podSelector: all"), field: "spec.podSelector", code: "FIELD_INVALID" },
  "a port that is none": {
    text: network("podSelector: {}, ingress: [{ports: [{port: 0}]}]"),
    field: "spec.ingress[0].ports[0].port",
    code: "FIELD_INVALID",
  },
  "a protocol that policies don't know": {
    text: network("podSelector: {}, ingress: [{ports: [{port: 1, protocol: ICMP}]}]"),
    field: "spec.ingress[0].ports[0].protocol",
    code: "FIELD_INVALID",
  },
  "an end of a range without a start": {
    text: network("podSelector: {}, ingress: [{ports: [{endPort: 80}]}]"),
    field: "spec.ingress[0].ports[0].endPort",
    code: "FIELD_CONFLICT",
  },
  "a range that starts with a name": {
    text: network("podSelector: {}, ingress: [{ports: [{port: web, endPort: 80}]}]"),
    field: "spec.ingress[0].ports[0].endPort",
    code: "FIELD_CONFLICT",
  },
  "a named port towards addresses": {
    text: network("podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: web}]}]"),
    field: "spec.egress[0].ports[0].port",
    code: "FIELD_CONFLICT",
  },
  "an operator that selectors don't know": {
    text: network("podSelector: {matchExpressions: [{key: a, operator: Is, values: [b]}]}"),
    field: "spec.podSelector.matchExpressions[0].operator",
    code: "FIELD_INVALID",
  },
  "In without values": {
    text: network("podSelector: {matchExpressions: [{key: a, operator: In}]}"),
    field: "spec.podSelector.matchExpressions[0].values",
    code: "FIELD_INVALID",
  },
  "a policy type that is none": {
    text: network("podSelector: {}, policyTypes: [Both]"),
    field: "spec.policyTypes[0]",
    code: "FIELD_INVALID",
  },
  "a priority beyond 1000": { text: admin(`priority: 1001, ${ALL}`), field: "spec.priority", code: "FIELD_INVALID" },
  "no priority": { text: admin(ALL), field: "spec.priority", code: "FIELD_MISSING" },
  "one priority for two AdminNetworkPolicies": {
    text: `${admin(`priority: 1, ${ALL}`)}---\n${admin(`priority: 1, ${ALL}`).replace("name: a", "name: b")}`,
    field: "spec.priority",
    code: "POLICY_PRIORITY_SHARED",
  },
  "one name for two policies": {
    text: `${network("podSelector: {}")}---\n${network("podSelector: {}")}`,
    field: "metadata.name",
    code: "OBJECT_DUPLICATE",
  },
  "a tier that is none": {
    text: cluster(`tier: Admins, priority: 1, ${ALL}`),
    field: "spec.tier",
    code: "FIELD_INVALID",
  },
  "the old word for accepting": {
    text: cluster(`tier: Admin, priority: 1, ${ALL}, ingress: [{action: Allow, from: [{namespaces: {}}]}]`),
    field: "spec.ingress[0].action",
    code: "FIELD_INVALID",
  },
  "two protocols in one entry": {
    text: cluster(
      `tier: Admin, priority: 1, ${ALL}, ingress: [{action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 1}}, udp: {destinationPort: {number: 1}}}]}]`,
    ),
    field: "spec.ingress[0].protocols[0]",
    code: "FIELD_CONFLICT",
  },
};

describe("bad input exits 2 with file, object and field", () => {
  for (const [name, { text, field, code }] of Object.entries(MISTAKES))
    test(name, () => {
      const ran = runPolicy(["connectivity", folderWith(text)]);
      expect({ code: ran.code, out: ran.out }).toEqual({ code: 2, out: "" });
      expect(ran.err).toMatch(/input\.yaml:\d+:\d+: \S+: \w+Policy \S+: /);
      expect(ran.err).toContain(`: ${field}: `);
      expect(ran.err).toContain(`[${code}]`);
    });
  test("a folder that is not there", () => expect(runPolicy(["connectivity", "/nowhere"]).code).toBe(2));
  test("a format that is none", () =>
    expect(runPolicy(["connectivity", folderWith(SHOP), "--output", "xml"]).code).toBe(2));
  test("a port that is none", () =>
    expect(runPolicy(["connectivity", folderWith(SHOP), "--focus-conn", "tcp"]).code).toBe(2));
  test("exposure of several networks", () =>
    expect(runPolicy(["connectivity", folderWith(SHOP), "--exposure", "--multiple-networks"]).code).toBe(2));
});

describe("a ClusterNetworkPolicy peer that we don't know fails closed", () => {
  const unknown = (action: string): string =>
    `${SHOP}---\n${cluster(`tier: Admin, priority: 1, ${ALL}, ingress: [{action: ${action}, from: [{galaxies: {}}]}]`)}`;
  const listed = (action: string): string =>
    runPolicy(["connectivity", folderWith(unknown(action)), "--focus-workload", "db"]).out;

  test("accepting nothing", () => expect(listed("Accept")).toBe("shop/web[Pod] => shop/db[Pod] : TCP 5432\n"));
  test("denying everything", () => expect(listed("Deny")).toBe(""));
  test("and not passing", () => expect(listed("Pass")).toBe(""));
});

describe("a ClusterNetworkPolicy that asks for an address that is not known", () => {
  const peer = (action: string): string =>
    `${SHOP}---\n${cluster(`tier: Admin, priority: 1, ${ALL}, egress: [{action: ${action}, to: [{networks: [10.0.0.0/24]}]}]`)}`;
  const focused = (action: string) => runPolicy(["connectivity", folderWith(peer(action)), "--focus-workload", "db"]);

  test("denies where it may deny, and says so", () => {
    const ran = focused("Deny");
    expect(ran.out).toBe("");
    expect(ran.err).toContain(
      "whether a rule means shop/db[Pod] depends on addresses or nodes that are not known; it is taken to deny them.",
    );
  });
  test("accepts only whom it surely means, and says so", () => {
    const ran = focused("Accept");
    expect(ran.out).toBe(
      "shop/db[Pod] => 10.0.0.0-10.0.0.255[External] : All Connections\nshop/web[Pod] => shop/db[Pod] : TCP 5432\n",
    );
    expect(ran.err).toContain("[ADDRESS_UNKNOWN]");
  });
});

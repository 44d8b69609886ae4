import { describe, expect, test } from "vitest";
import { folderWith } from "./folder.ts";
import { runPolicy } from "./run-policy.ts";

const documents = (...texts: readonly string[]): string => texts.join("\n---\n");
const pod = (name: string, more = "", labels = `app: ${name}`): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: shop, labels: {${labels}}}${more}}`;
const network = (spec: string, name = "np"): string =>
  `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: shop}, spec: {${spec}}}`;
const admin = (spec: string, name = "a"): string =>
  `{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: ${name}}, spec: {${spec}}}`;
const baseline = (spec: string): string =>
  `{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: default}, spec: {${spec}}}`;
const cluster = (spec: string): string =>
  `{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: c}, spec: {${spec}}}`;
const PODS = documents(pod("web"), pod("db"));
const WEB = "podSelector: {matchLabels: {app: web}}";
const DB = "podSelector: {matchLabels: {app: db}}";
const ALL = "subject: {namespaces: {}}";

const list = (text: string, ...options: readonly string[]) => runPolicy(["connectivity", folderWith(text), ...options]);
/** Lines between workloads only. */
const inner = (out: string): readonly string[] =>
  out.split("\n").filter((line) => line !== "" && !line.includes("[External]"));

const OPEN = ["shop/db[Pod] => shop/web[Pod] : All Connections", "shop/web[Pod] => shop/db[Pod] : All Connections"];
const ONLY_DB_TO_WEB = OPEN.slice(0, 1);

/** One unknown field each: what it is, and what the rest of the policy still says. */
const UNKNOWN: Readonly<
  Record<string, { readonly text: string; readonly field: string; readonly left: readonly string[] }>
> = {
  "in the spec of a NetworkPolicy": {
    text: network(`${DB}, tier: gold`),
    field: "spec.tier",
    left: ONLY_DB_TO_WEB,
  },
  "a misspelt `from`, so that the rule means everybody": {
    text: network(`${DB}, ingress: [{form: []}]`),
    field: "spec.ingress[0].form",
    left: OPEN,
  },
  "in a port, so that the rule means every TCP port": {
    text: network(`${DB}, ingress: [{ports: [{prot: 80}]}]`),
    field: "spec.ingress[0].ports[0].prot",
    left: [ONLY_DB_TO_WEB[0] ?? "", "shop/web[Pod] => shop/db[Pod] : TCP 1-65535"],
  },
  "in a selector, which then means everybody": {
    text: network("podSelector: {matchLabel: {app: db}}"),
    field: "spec.podSelector.matchLabel",
    left: [],
  },
  "beside a peer that is known": {
    text: network(`${DB}, ingress: [{from: [{${WEB}, galaxy: {}}]}]`),
    field: "spec.ingress[0].from[0].galaxy",
    left: OPEN,
  },
  "in an ipBlock": {
    text: network(`${DB}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, zone: a}}]}]`),
    field: "spec.ingress[0].from[0].ipBlock.zone",
    left: ONLY_DB_TO_WEB,
  },
  "in an AdminNetworkPolicy's rule": {
    text: admin(`priority: 1, ${ALL}, ingress: [{action: Deny, from: [{namespaces: {}}], log: true}]`),
    field: "spec.ingress[0].log",
    left: [],
  },
  "in an AdminNetworkPolicy's port": {
    text: admin(
      `priority: 1, ${ALL}, ingress: [{action: Deny, from: [{namespaces: {}}], ports: [{portRange: {start: 1, end: 65534, step: 2}}]}]`,
    ),
    field: "spec.ingress[0].ports[0].portRange.step",
    left: OPEN.map((line) => line.replace("All Connections", "SCTP 1-65535,TCP 65535,UDP 1-65535")),
  },
  "in a BaselineAdminNetworkPolicy's spec": {
    text: baseline(
      `priority: 3, ${ALL}, egress: [{action: Deny, to: [{pods: {podSelector: {matchLabels: {app: db}}}}]}]`,
    ),
    field: "spec.priority",
    left: ONLY_DB_TO_WEB,
  },
  "beside a ClusterNetworkPolicy's peer that is known": {
    text: cluster(
      `tier: Admin, priority: 1, ${ALL}, ingress: [{action: Deny, from: [{pods: {podSelector: {matchLabels: {app: web}}}, galaxies: {}}]}]`,
    ),
    field: "spec.ingress[0].from[0].galaxies",
    left: ONLY_DB_TO_WEB,
  },
};

describe("a field that a foreign policy's kind does not know is dropped with a warning", () => {
  for (const [name, { text, field, left }] of Object.entries(UNKNOWN))
    test(name, () => {
      const ran = list(documents(PODS, text));
      expect({ code: ran.code, lines: inner(ran.out) }).toEqual({ code: 0, lines: left });
      expect(ran.err).toMatch(/signet: warning: \S*input\.yaml:5:\d+: .*\[FIELD_UNKNOWN\]/);
      expect(ran.err).toContain(`: ${field}: `);
    });
  test("and lint names it as worth mending", () => {
    const ran = runPolicy(["lint", folderWith(documents(PODS, network(`${DB}, tier: gold`)))]);
    expect(ran.code).toBe(3);
    expect(ran.out).toContain("[FIELD_UNKNOWN]");
  });
});

const allowing = (rule: string): string => `priority: 1, ${ALL}, ingress: [{action: Allow, ${rule}}]`;
const leaving = (rule: string): string => `priority: 1, ${ALL}, egress: [{action: Allow, ${rule}}]`;
const FROM_ALL = "from: [{namespaces: {}}]";
const TO_ALL = "to: [{namespaces: {}}]";

/** What no API server takes, or what leaves the answer open: one mistake each, and the field to name. */
const REFUSED: Readonly<Record<string, readonly [text: string, field: string]>> = {
  "a peer of which nothing known is left": [
    network(`${DB}, ingress: [{from: [{galaxy: {}}]}]`),
    "spec.ingress[0].from[0]",
  ],
  "a peer that is null": [network(`${DB}, ingress: [{from: [null]}]`), "spec.ingress[0].from[0]"],
  "an AdminNetworkPolicy's peer of which nothing known is left": [
    admin(allowing("from: [{galaxies: {}}]")),
    "spec.ingress[0].from[0]",
  ],
  "an AdminNetworkPolicy's port of which nothing known is left": [
    admin(allowing(`${FROM_ALL}, ports: [{number: 80}]`)),
    "spec.ingress[0].ports[0]",
  ],
  "a ClusterNetworkPolicy's protocol of which nothing known is left": [
    cluster(`tier: Admin, ${allowing(`${FROM_ALL}, protocols: [{icmp: {}}]`).replace("Allow", "Accept")}`),
    "spec.ingress[0].protocols[0]",
  ],
  "a protocol without a destination port": [
    cluster(`tier: Admin, ${allowing(`${FROM_ALL}, protocols: [{tcp: {}}]`).replace("Allow", "Accept")}`),
    "spec.ingress[0].protocols[0].tcp.destinationPort",
  ],
  "a subject that is empty": [admin("priority: 1, subject: {}"), "spec.subject"],
  "no subject": [admin("priority: 1"), "spec.subject"],
  "a subject of a kind that is unknown": [admin("priority: 1, subject: {galaxies: {}}"), "spec.subject"],
  "a subject with namespaces and pods": [admin("priority: 1, subject: {namespaces: {}, pods: {}}"), "spec.subject"],
  "a baseline subject with namespaces and pods": [baseline("subject: {namespaces: {}, pods: {}}"), "spec.subject"],
  "a baseline subject that is empty": [baseline("subject: {}"), "spec.subject"],
  "a priority below zero": [admin(`priority: -1, ${ALL}`), "spec.priority"],
  "a priority above 1000": [admin(`priority: 1001, ${ALL}`), "spec.priority"],
  "a priority that is no number": [admin(`priority: high, ${ALL}`), "spec.priority"],
  "two AdminNetworkPolicies of one priority": [
    documents(admin(`priority: 5, ${ALL}`), admin(`priority: 5, ${ALL}`, "b")),
    "spec.priority",
  ],
  "two AdminNetworkPolicies of one name": [
    documents(admin(`priority: 5, ${ALL}`), admin(`priority: 6, ${ALL}`)),
    "metadata.name",
  ],
  "two NetworkPolicies of one name": [documents(network(DB), network(WEB)), "metadata.name"],
  "no action": [admin(`priority: 1, ${ALL}, ingress: [{${FROM_ALL}}]`), "spec.ingress[0].action"],
  "an action in small letters": [
    admin(`priority: 1, ${ALL}, ingress: [{action: allow, ${FROM_ALL}}]`),
    "spec.ingress[0].action",
  ],
  "a baseline action that passes on": [
    baseline(`${ALL}, egress: [{action: Pass, ${TO_ALL}}]`),
    "spec.egress[0].action",
  ],
  "no `from`": [admin(allowing("name: x")), "spec.ingress[0].from"],
  "an empty `from`": [admin(allowing("from: []")), "spec.ingress[0].from"],
  "no `to`": [admin(leaving("name: x")), "spec.egress[0].to"],
  "an empty `to`": [admin(leaving("to: []")), "spec.egress[0].to"],
  "an empty peer": [admin(leaving("to: [{}]")), "spec.egress[0].to[0]"],
  "a peer with namespaces and pods": [admin(allowing("from: [{namespaces: {}, pods: {}}]")), "spec.ingress[0].from[0]"],
  "a peer with namespaces and networks": [
    admin(leaving("to: [{namespaces: {}, networks: [10.0.0.0/8]}]")),
    "spec.egress[0].to[0]",
  ],
  "networks as the source": [admin(allowing("from: [{networks: [10.0.0.0/8]}]")), "spec.ingress[0].from[0]"],
  "no network among networks": [admin(leaving("to: [{networks: []}]")), "spec.egress[0].to[0].networks"],
  "a network that is no CIDR": [admin(leaving("to: [{networks: [10.0.0.1]}]")), "spec.egress[0].to[0].networks[0]"],
  "a network of IPv6 that is no CIDR": [
    admin(leaving("to: [{networks: ['zc00::/8']}]")),
    "spec.egress[0].to[0].networks[0]",
  ],
  "an empty port": [admin(allowing(`${FROM_ALL}, ports: [{}]`)), "spec.ingress[0].ports[0]"],
  "a port with two words": [
    admin(allowing(`${FROM_ALL}, ports: [{namedPort: web, portNumber: {port: 80}}]`)),
    "spec.ingress[0].ports[0]",
  ],
  "a range that ends before it starts": [
    admin(allowing(`${FROM_ALL}, ports: [{portRange: {start: 9, end: 8}}]`)),
    "spec.ingress[0].ports[0].portRange.end",
  ],
  "a range without an end": [
    admin(allowing(`${FROM_ALL}, ports: [{portRange: {start: 9}}]`)),
    "spec.ingress[0].ports[0].portRange.end",
  ],
  "a port beyond 65535": [
    admin(allowing(`${FROM_ALL}, ports: [{portNumber: {port: 65536}}]`)),
    "spec.ingress[0].ports[0].portNumber.port",
  ],
  "a protocol that is none": [
    admin(allowing(`${FROM_ALL}, ports: [{portNumber: {port: 1, protocol: ICMP}}]`)),
    "spec.ingress[0].ports[0].portNumber.protocol",
  ],
  "an operator that is none": [
    admin(`priority: 1, subject: {namespaces: {matchExpressions: [{key: a, operator: Has}]}}`),
    "spec.subject.namespaces.matchExpressions[0].operator",
  ],
  "Exists with values": [
    admin(`priority: 1, subject: {namespaces: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}`),
    "spec.subject.namespaces.matchExpressions[0].values",
  ],
  "a label key that is none": [
    network(`${DB}, ingress: [{from: [{podSelector: {matchLabels: {"a b": c}}}]}]`),
    "spec.ingress[0].from[0].podSelector.matchLabels.a b",
  ],
  "a label value that is none": [
    network(`podSelector: {matchLabels: {app: "-web"}}`),
    "spec.podSelector.matchLabels.app",
  ],
  "a label value that is too long": [
    network(`podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [${"x".repeat(64)}]}]}`),
    "spec.podSelector.matchExpressions[0].values[0]",
  ],
  "an address with a selector": [
    network(`${DB}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]`),
    "spec.ingress[0].from[0]",
  ],
  "an address without a prefix length": [
    network(`${DB}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.1}}]}]`),
    "spec.ingress[0].from[0].ipBlock.cidr",
  ],
  "an exception that is no CIDR": [
    network(`${DB}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/33]}}]}]`),
    "spec.ingress[0].from[0].ipBlock.except[0]",
  ],
  "no address in an ipBlock": [
    network(`${DB}, ingress: [{from: [{ipBlock: {}}]}]`),
    "spec.ingress[0].from[0].ipBlock.cidr",
  ],
  "a policy without a name": [
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {namespace: shop}, spec: {podSelector: {}}}",
    "metadata.name",
  ],
};

describe("what makes the answer wrong is refused, with the field", () => {
  for (const [name, [text, field]] of Object.entries(REFUSED))
    test(name, () => {
      const ran = list(documents(PODS, text));
      expect({ code: ran.code, out: ran.out }).toEqual({ code: 2, out: "" });
      expect(ran.err).toContain(`: ${field}: `);
      expect(ran.err).toMatch(/^signet: \S*input\.yaml:[5-7]:\d+: /m);
    });
});

const namespace = (name: string, labels = "k8s.ovn.org/primary-user-defined-network: ''"): string =>
  `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}, labels: {${labels}}}}`;
const udn = (ns: string, spec: string, name = "net"): string =>
  `{apiVersion: k8s.ovn.org/v1, kind: UserDefinedNetwork, metadata: {name: ${name}, namespace: ${ns}}, spec: {${spec}}}`;
const cudn = (selector: string, network_ = "topology: Layer3, layer3: {role: Primary}", name = "all"): string =>
  `{apiVersion: k8s.ovn.org/v1, kind: ClusterUserDefinedNetwork, metadata: {name: ${name}}, spec: {namespaceSelector: {${selector}}, network: {${network_}}}}`;
const PRIMARY = "topology: Layer2, layer2: {role: Primary}";

/** User-defined networks that OVN-Kubernetes doesn't take. */
const BAD_NETWORKS: Readonly<Record<string, string>> = {
  "a topology that is none": udn("shop", "topology: Layer4, layer4: {role: Primary}"),
  "a topology of cluster networks only": udn("shop", "topology: Localnet, localnet: {role: Primary}"),
  "no topology": udn("shop", "layer2: {role: Primary}"),
  "a role that is none": udn("shop", "topology: Layer2, layer2: {role: Admin}"),
  "the part of another topology": udn("shop", "topology: Layer2, layer3: {role: Primary}"),
  "no role": udn("shop", "topology: Layer2, layer2: {}"),
  "the name default": udn("shop", PRIMARY, "default"),
  "the namespace default": udn("default", PRIMARY),
  "a namespace of OpenShift": udn("openshift-dns", PRIMARY),
  "two for one namespace": documents(udn("shop", PRIMARY), udn("shop", PRIMARY, "other")),
  "one of each sort for one namespace": documents(udn("shop", PRIMARY), cudn("")),
  "two of the cluster for one namespace": documents(cudn(""), cudn("matchLabels: {}", undefined, "some")),
  "a cluster network with a role that is none": cudn("", "topology: Layer3, layer3: {role: None}"),
  "a cluster network with a bad selector": cudn("matchExpressions: [{key: a, operator: Near}]"),
  "a cluster network that takes a reserved namespace": documents(namespace("openshift-dns"), cudn("")),
};

describe("a user-defined network that cannot be is refused", () => {
  for (const [name, text] of Object.entries(BAD_NETWORKS))
    test(name, () => {
      const ran = list(documents(PODS, namespace("shop"), text), "--multiple-networks");
      expect({ code: ran.code, out: ran.out }).toEqual({ code: 2, out: "" });
      expect(ran.err).toMatch(/^signet: \S*input\.yaml:\d+:\d+: .*UserDefinedNetwork /m);
    });
  test("and not looked at where only one network is analysed", () => {
    expect(list(documents(PODS, namespace("shop"), udn("shop", "topology: Layer4"))).code).toBe(0);
  });
});

/** Documents that speak of no policy and can't be read; the rest is answered. */
const UNREADABLE: Readonly<Record<string, readonly [text: string, said: string]>> = {
  "a Pod whose containers are a map": [pod("bad", ", spec: {containers: {a: b}}"), "Left out: Pod shop/bad"],
  "a Pod with a label that is a number": [pod("bad", "", "app: 1"), "Left out: Pod shop/bad"],
  "a Pod without a name": ["{apiVersion: v1, kind: Pod, metadata: {namespace: shop}}", "Left out: Pod shop/"],
  "a Pod with a protocol that is none": [
    pod("bad", ", spec: {containers: [{ports: [{containerPort: 80, protocol: ICMP}]}]}"),
    "Left out: Pod shop/bad",
  ],
  "a Deployment with a port that is a text": [
    `{apiVersion: apps/v1, kind: Deployment, metadata: {name: bad, namespace: shop}, spec: {template: {spec: {containers: [{ports: [{containerPort: "80"}]}]}}}}`,
    "Left out: Deployment shop/bad",
  ],
  "a Service whose ports are a text": [
    "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: shop}, spec: {selector: {app: db}, ports: none}}",
    "Left out: Service shop/s",
  ],
  "an Ingress whose rules are a map": [
    "{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: shop}, spec: {rules: {a: b}}}",
    "Left out: Ingress shop/i",
  ],
  "a Route without a service": [
    "{apiVersion: route.openshift.io/v1, kind: Route, metadata: {name: r, namespace: shop}, spec: {to: {kind: Service}}}",
    "Left out: Route shop/r",
  ],
  "a Namespace with a label that is a list": [namespace("far", "a: [b]"), "Left out: Namespace far"],
  "an object without a kind": ["{apiVersion: v1, metadata: {name: x}}", "does not say its kind"],
  "a text": ["just a text", "does not say its kind"],
  "a list": ["[1, 2]", "does not say its kind"],
  "a document that is no YAML": ["a: b: c", "This document, and what follows it in the file, is left out."],
};

describe("a document that speaks of no policy and can't be read is left out with a warning", () => {
  for (const [name, [text, said]] of Object.entries(UNREADABLE))
    test(name, () => {
      const ran = list(documents(PODS, text));
      expect({ code: ran.code, lines: inner(ran.out) }).toEqual({ code: 0, lines: OPEN });
      expect(ran.err).toMatch(/^signet: warning: \S*input\.yaml:5:\d+: /m);
      expect(ran.err).toContain(said);
    });
  test("a policy's own labels are not looked at", () => {
    const text = network(DB).replace("namespace: shop", "namespace: shop, labels: {v: 1}");
    expect(inner(list(documents(PODS, text)).out)).toEqual(ONLY_DB_TO_WEB);
  });
  test("the documents before a broken one count, those after it do not", () => {
    const ran = list(documents(PODS, "a: b: c", network(DB)));
    expect(inner(ran.out)).toEqual(OPEN);
  });
});
const WORKLOADS = `
apiVersion: apps/v1
kind: TYPE
metadata: {name: x, namespace: shop, labels: {app: not-this}}
spec: {template: {metadata: {labels: {app: db}}}}
`;
const CRON = `
apiVersion: batch/v1
kind: CronJob
metadata: {name: x, namespace: shop}
spec: {jobTemplate: {spec: {template: {metadata: {labels: {app: db}}}}}}
`;
const owned = (owner: string): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: x-1, namespace: shop, labels: {app: db}, ownerReferences: [${owner}]}}`;

/** How a workload is called; its Pods have the label that the policy selects. */
const NAMES: Readonly<Record<string, readonly [text: string, name: string]>> = {
  "a Deployment": [WORKLOADS.replace("TYPE", "Deployment"), "x[Deployment]"],
  "a ReplicaSet": [WORKLOADS.replace("TYPE", "ReplicaSet"), "x[ReplicaSet]"],
  "a StatefulSet": [WORKLOADS.replace("TYPE", "StatefulSet"), "x[StatefulSet]"],
  "a DaemonSet": [WORKLOADS.replace("TYPE", "DaemonSet"), "x[DaemonSet]"],
  "a Job": [WORKLOADS.replace("TYPE", "Job").replace("apps/v1", "batch/v1"), "x[Job]"],
  "a ReplicationController": [
    WORKLOADS.replace("TYPE", "ReplicationController").replace("apps/v1", "v1"),
    "x[ReplicationController]",
  ],
  "a CronJob": [CRON, "x[CronJob]"],
  "a Pod under its controller's name": [owned("{kind: ReplicaSet, name: rs, controller: true}"), "rs[ReplicaSet]"],
  "a Pod whose owner does not say its kind": [owned("{name: rs, controller: true}"), "rs[Pod]"],
  "a Pod whose owner does not control it": [owned("{kind: ReplicaSet, name: rs}"), "x-1[Pod]"],
  "a Pod of a node under its own name": [owned("{kind: Node, name: worker, controller: true}"), "x-1[Pod]"],
  "a Pod with two owners under the one that controls it": [
    owned("{kind: Set, name: no}, {kind: StatefulSet, name: yes-1, controller: true}"),
    "yes-1[StatefulSet]",
  ],
  "a Job that the API server names": [
    WORKLOADS.replace("TYPE", "Job").replace("name: x", "generateName: x-"),
    "x-*[Job]",
  ],
};

describe("workloads are named", () => {
  for (const [name, [text, called]] of Object.entries(NAMES))
    test(name, () => {
      const ran = list(documents(pod("web"), text, network(DB)));
      expect(inner(ran.out)).toEqual([`shop/${called} => shop/web[Pod] : All Connections`]);
    });
  test("once for all Pods of one owner, and never against themselves", () => {
    const [one, two] = ["x-1", "x-2"].map((name) =>
      owned("{kind: ReplicaSet, name: rs, controller: true}").replace("x-1", name),
    );
    expect(inner(list(documents(one ?? "", two ?? "", pod("web"))).out)).toEqual([
      "shop/rs[ReplicaSet] => shop/web[Pod] : All Connections",
      "shop/web[Pod] => shop/rs[ReplicaSet] : All Connections",
    ]);
  });
  test("in the namespace default where none is named", () => {
    const text = documents(
      pod("web").replace(", namespace: shop", ""),
      pod("db").replace("namespace: shop", "namespace: ''"),
    );
    expect(inner(list(text).out)[0]).toBe("default/db[Pod] => default/web[Pod] : All Connections");
  });
  test("as the last of two definitions says, with a warning", () => {
    const ran = list(documents(pod("db", "", "app: other"), PODS, network(DB)));
    expect({ lines: inner(ran.out), said: ran.err.includes("[OBJECT_DUPLICATE]") }).toEqual({
      lines: ONLY_DB_TO_WEB,
      said: true,
    });
  });
});

/** Lists as `kubectl get -o yaml` writes them. */
const LISTS: Readonly<Record<string, string>> = {
  "a List": `{apiVersion: v1, kind: List, items: [${pod("web")}, ${pod("db")}, ${network(DB)}]}`,
  "typed lists whose items lack their kind": documents(
    `{apiVersion: v1, kind: PodList, items: [{metadata: {name: web, namespace: shop, labels: {app: web}}}, {metadata: {name: db, namespace: shop, labels: {app: db}}}]}`,
    `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicyList, items: [{metadata: {name: np, namespace: shop}, spec: {${DB}}}]}`,
  ),
  "a List of lists": `{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: PodList, items: [${pod("web")}, ${pod("db")}]}, ${network(DB)}]}`,
  "a list with an item that can't be read": documents(
    `{apiVersion: v1, kind: PodList, items: [${pod("web")}, {metadata: {name: [x]}}, ${pod("db")}]}`,
    network(DB),
  ),
  "an empty list": documents("{apiVersion: v1, kind: PodList, items: []}", PODS, network(DB)),
  "a list of nothing": documents("{apiVersion: v1, kind: PodList, items: null}", PODS, network(DB)),
};

describe("lists are unfolded", () => {
  for (const [name, text] of Object.entries(LISTS))
    test(name, () => {
      const ran = list(text);
      expect({ code: ran.code, lines: inner(ran.out) }).toEqual({ code: 0, lines: ONLY_DB_TO_WEB });
    });
});

const SERVED = pod(
  "db",
  ", spec: {containers: [{ports: [{containerPort: 5432, name: sql}, {containerPort: 53, protocol: UDP}]}]}",
);
const service = (spec: string, name = "db"): string =>
  `{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: shop}, spec: {${spec}}}`;
const ingress = (spec: string, version = "networking.k8s.io/v1"): string =>
  `{apiVersion: ${version}, kind: Ingress, metadata: {name: i, namespace: shop}, spec: {${spec}}}`;
const route = (spec: string): string =>
  `{apiVersion: route.openshift.io/v1, kind: Route, metadata: {name: r, namespace: shop}, spec: {${spec}}}`;
const BOTH =
  "selector: {app: db}, ports: [{name: a, port: 80, targetPort: sql}, {name: b, port: 81, targetPort: 53}, {port: 82}]";
const backend = (port: string): string => `defaultBackend: {service: {name: db, port: {${port}}}}`;

/** What Ingress and Route objects open to the ingress controller; empty for nothing. */
const OPENED: Readonly<Record<string, readonly [text: string, ports: string]>> = {
  "a default backend, by number": [documents(service(BOTH), ingress(backend("number: 80"))), "TCP 5432"],
  "a default backend, by name": [documents(service(BOTH), ingress(backend("name: b"))), "TCP 53"],
  "a backend without port, so all that the Pod lists": [
    documents(service(BOTH), ingress("defaultBackend: {service: {name: db}}")),
    "TCP 53,5432",
  ],
  "the backends of paths": [
    documents(
      service(BOTH),
      ingress("rules: [{http: {paths: [{backend: {service: {name: db, port: {number: 81}}}}]}}]"),
    ),
    "TCP 53",
  ],
  "backends of the first version": [
    documents(
      service(BOTH),
      ingress("rules: [{http: {paths: [{backend: {serviceName: db, servicePort: a}}]}}]", "extensions/v1beta1"),
    ),
    "TCP 5432",
  ],
  "a default backend of the first version": [
    documents(service(BOTH), ingress("backend: {serviceName: db, servicePort: 80}", "extensions/v1beta1")),
    "TCP 5432",
  ],
  "a service port that the Pod does not list": [documents(service(BOTH), ingress(backend("number: 82"))), ""],
  "a port that the Service does not have": [documents(service(BOTH), ingress(backend("number: 9"))), ""],
  "a Service that is not there": [ingress(backend("number: 80")), ""],
  "a Service without a selector": [documents(service("ports: [{port: 5432}]"), ingress(backend("number: 5432"))), ""],
  "a Service of another namespace": [
    documents(service(BOTH).replace("namespace: shop", "namespace: other"), ingress(backend("number: 80"))),
    "",
  ],
  "a Service that selects other Pods": [
    documents(service(BOTH.replace("app: db", "app: no")), ingress(backend("number: 80"))),
    "",
  ],
  "a Route": [documents(service(BOTH), route("to: {kind: Service, name: db}")), "TCP 53,5432"],
  "a Route to a port by name": [documents(service(BOTH), route("to: {name: db}, port: {targetPort: a}")), "TCP 5432"],
  "a Route to a target port by number": [
    documents(service(BOTH), route("to: {name: db}, port: {targetPort: 53}")),
    "TCP 53",
  ],
  "a Route to a target port by number in quotes": [
    documents(service(BOTH), route("to: {name: db}, port: {targetPort: '53'}")),
    "TCP 53",
  ],
  "a Route's alternate backend": [
    documents(service(BOTH), route("to: {name: gone}, alternateBackends: [{kind: Service, name: db, weight: 1}]")),
    "TCP 53,5432",
  ],
  "a Route to what is no Service": [documents(service(BOTH), route("to: {kind: Other, name: db}")), ""],
};

describe("the ingress controller is led by", () => {
  for (const [name, [text, ports]] of Object.entries(OPENED))
    test(name, () => {
      const ran = list(documents(SERVED, text), "--focus-workload", "ingress-controller");
      expect(ran.out).toBe(ports === "" ? "" : `{ingress-controller} => shop/db[Pod] : ${ports}\n`);
    });
  test("nothing through a policy that denies it, with a warning", () => {
    const ran = list(documents(SERVED, service(BOTH), ingress(backend("number: 80")), network(DB)));
    expect({ out: ran.out.includes("ingress-controller"), warned: ran.err.includes("[INGRESS_BLOCKED]") }).toEqual({
      out: false,
      warned: true,
    });
  });
  test("a namespace selector of everything, as any Pod is", () => {
    const open = network(`${DB}, ingress: [{from: [{namespaceSelector: {}}]}]`);
    const ran = list(documents(SERVED, service(BOTH), ingress(backend("number: 80")), open));
    expect(inner(ran.out)).toEqual(["{ingress-controller} => shop/db[Pod] : TCP 5432"]);
  });
});

const nad = (ns: string, name: string): string =>
  `{apiVersion: k8s.cni.cncf.io/v1, kind: NetworkAttachmentDefinition, metadata: {name: ${name}, namespace: ${ns}}}`;
const attached = (name: string, networks: string, ns = "shop"): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: ${ns}, labels: {app: ${name}}, annotations: {k8s.v1.cni.cncf.io/networks: '${networks}'}}}`;
const multi = (policyFor: string, spec: string): string =>
  `{apiVersion: k8s.cni.cncf.io/v1beta1, kind: MultiNetworkPolicy, metadata: {name: m, namespace: shop, annotations: {k8s.v1.cni.cncf.io/policy-for: '${policyFor}'}}, spec: {${spec}}}`;
const WITH_IPS = '[{"name": "l2", "ips": ["10.1.0.5/24"]}]';
const FROM_NET = `${DB}, ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/24}}]}]`;

/** Who reaches whom on the secondary network `l2`, and under which MultiNetworkPolicy. */
const SECONDARY: Readonly<Record<string, readonly [text: string, pairs: readonly string[]]>> = {
  "two Pods that name it": [documents(attached("web", "l2"), attached("db", "other, l2@eth1")), ["db web", "web db"]],
  "a Pod of another namespace that names it whole": [
    documents(attached("web", "shop/l2", "far"), attached("db", "l2")),
    ["db web", "web db"],
  ],
  "no Pod that looks for it in its own namespace": [documents(attached("web", "l2", "far"), attached("db", "l2")), []],
  "Pods that name it in JSON": [
    documents(attached("web", WITH_IPS), attached("db", '{"name": "l2"}')),
    ["db web", "web db"],
  ],
  "no Pod whose JSON is broken": [documents(attached("web", "[{"), attached("db", "l2")), []],
  "a policy for it": [documents(attached("web", "l2"), attached("db", "l2"), multi("l2", DB)), ["db web"]],
  "a policy for it and another": [
    documents(attached("web", "l2"), attached("db", "l2"), multi("no, shop/l2", DB)),
    ["db web"],
  ],
  "no policy for another": [
    documents(attached("web", "l2"), attached("db", "l2"), multi("far/l2", DB)),
    ["db web", "web db"],
  ],
  "no policy for none": [documents(attached("web", "l2"), attached("db", "l2"), multi("", DB)), ["db web", "web db"]],
  "no NetworkPolicy": [documents(attached("web", "l2"), attached("db", "l2"), network(DB)), ["db web", "web db"]],
  "a policy by address, which the Pod asks for": [
    documents(attached("web", WITH_IPS), attached("db", "l2"), multi("l2", FROM_NET)),
    ["db web", "web db"],
  ],
  "a policy by another address": [
    documents(attached("web", WITH_IPS), attached("db", "l2"), multi("l2", FROM_NET.replace("10.1", "10.2"))),
    ["db web"],
  ],
  "a policy by the second address of a Pod that is attached twice": [
    documents(
      attached("web", '[{"name": "l2"}, {"name": "l2", "ips": ["10.1.0.5"]}]'),
      attached("db", "l2"),
      multi("l2", FROM_NET),
    ),
    ["db web", "web db"],
  ],
};

describe("on a secondary network stands", () => {
  for (const [name, [text, pairs]] of Object.entries(SECONDARY))
    test(name, () => {
      const ran = list(documents(nad("shop", "l2"), text), "--multiple-networks", "--output", "json");
      const rows = JSON.parse(ran.out) as readonly {
        readonly network: string;
        readonly src: string;
        readonly dst: string;
      }[];
      const short = (end: string): string => end.replace(/^.*\/|\[.*$/g, "");
      const found = rows
        .filter((row) => row.network === "secondary NAD l2")
        .map((row) => `${short(row.src)} ${short(row.dst)}`);
      expect({ code: ran.code, found: found.sort() }).toEqual({ code: 0, found: pairs });
    });
});

const inNamespace = (ns: string): string => pod(ns).replace("namespace: shop", `namespace: ${ns}`);
const OPT_IN = "k8s.ovn.org/primary-user-defined-network: ''";

describe("a cluster network takes the namespaces", () => {
  const taken = (selector: string, ...namespaces: readonly string[]) => {
    const pods = ["red", "green", "blue"].map(inNamespace);
    const ran = list(documents(...pods, ...namespaces, cudn(selector)), "--multiple-networks");
    return ran.out.split("\n").filter((line) => line.endsWith("Primary Network: all[CUDN]")).length;
  };
  const [red, green, blue] = ["red", "green", "blue"].map((name) => namespace(name, `${OPT_IN}, team: ${name}`));
  const all = [red ?? "", green ?? "", blue ?? ""];
  test("that an expression names", () =>
    expect(taken("matchExpressions: [{key: team, operator: In, values: [red, blue]}]", ...all)).toBe(2));
  test("that an expression leaves over", () =>
    expect(taken("matchExpressions: [{key: team, operator: NotIn, values: [red]}]", ...all)).toBe(2));
  test("by the name that each has as a label", () =>
    expect(taken("matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [red]}]", ...all)).toBe(
      1,
    ));
  test("all of them, where it does not say", () => expect(taken("", ...all)).toBe(3));
  test("only of those that opt in", () => expect(taken("", red ?? "", namespace("green", "team: green"))).toBe(1));
});

describe("IPv6", () => {
  const v6 = network(`${WEB}, ingress: [{from: [{ipBlock: {cidr: "2001:db8::/32"}}, {ipBlock: {cidr: 10.0.0.0/8}}]}]`);
  test("is left out of lists with a warning, and the rest of the rule counts", () => {
    const ran = list(documents(pod("web"), v6));
    expect(ran.out).toBe(
      "10.0.0.0-10.255.255.255[External] => shop/web[Pod] : All Connections\nshop/web[Pod] => 0.0.0.0-255.255.255.255[External] : All Connections\n",
    );
    expect(ran.err).toContain("IPv6 addresses are not supported");
  });
  test("in an AdminNetworkPolicy alone matches nothing that is listed", () => {
    const text = admin(`priority: 1, ${ALL}, egress: [{action: Deny, to: [{networks: ["::/0"]}]}]`);
    const ran = list(documents(pod("web"), text));
    expect(ran.out.split("\n").filter((line) => line !== "")).toHaveLength(2);
    expect(ran.err).toContain("IPv6 addresses are not supported");
  });
});

import { stringify } from "yaml";

const PER_NAMESPACE = 25;
const KINDS = ["Deployment", "Deployment", "Deployment", "StatefulSet", "DaemonSet"] as const;

/** Whole numbers from 0 to below `end` that look random and are the same each time (a linear congruential generator). */
function dice(seed: number): (end: number) => number {
  let state = seed;
  return (end) => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return Math.floor((state / 4_294_967_296) * end);
  };
}

const namespaceOf = (index: number, size: number): string => `team-${index % Math.ceil(size / PER_NAMESPACE)}`;
const nameOf = (index: number): string => `app-${index}`;

/**
 * YAML manifests of many workloads, 25 to a namespace, each under a NetworkPolicy of its own: three named callers on a named
 * port, its own namespace on two ports; two of three also name whom they call, and a range outside.
 */
export function foreignWorld(size: number): string {
  const roll = dice(20_260_301);
  const indexes = Array.from({ length: size }, (_, index) => index);
  const namespaces = [...new Set(indexes.map((index) => namespaceOf(index, size)))];
  const peer = () => {
    const other = roll(size);
    return {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespaceOf(other, size) } },
      podSelector: { matchLabels: { app: nameOf(other) } },
    };
  };
  const objects = [
    ...namespaces.map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: { "kubernetes.io/metadata.name": name } },
    })),
    ...indexes.flatMap((index) => [workload(index, size), policy(index, size, peer)]),
  ];
  return objects.map((object) => stringify(object)).join("---\n");
}

const workload = (index: number, size: number) => ({
  apiVersion: "apps/v1",
  kind: KINDS[index % KINDS.length],
  metadata: { name: nameOf(index), namespace: namespaceOf(index, size) },
  spec: {
    selector: { matchLabels: { app: nameOf(index) } },
    template: {
      metadata: { labels: { app: nameOf(index), tier: index % 3 === 0 ? "data" : "web" } },
      spec: {
        containers: [{ name: "main", image: "app", ports: [{ name: "main", containerPort: 8000 + (index % 7) }] }],
      },
    },
  },
});

const policy = (index: number, size: number, peer: () => object) => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: nameOf(index), namespace: namespaceOf(index, size) },
  spec: {
    podSelector: { matchLabels: { app: nameOf(index) } },
    policyTypes: index % 3 === 0 ? ["Ingress"] : ["Ingress", "Egress"],
    ingress: [
      { from: [peer(), peer(), peer()], ports: [{ port: "main" }] },
      { from: [{ podSelector: {} }], ports: [{ port: 8080 }, { port: 9090, endPort: 9099 }] },
    ],
    ...(index % 3 === 0
      ? {}
      : {
          egress: [
            { to: [peer(), peer(), peer(), { podSelector: {} }] },
            { to: [{ ipBlock: { cidr: `10.${index % 7}.0.0/16` } }], ports: [{ port: 443 }] },
          ],
        }),
  },
});

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TRUST_DOMAIN = `# The name that every identity of yours begins with. Choose your own before anything is issued: it cannot change.
apiVersion: signet.dev/v1alpha1
kind: TrustDomain
metadata:
  name: local
spec:
  domain: example.org
`;

const GUARDRAIL = `# Rules above all sentences: what the platform needs everywhere, and what nobody may do.
apiVersion: signet.dev/v1alpha1
kind: Guardrail
metadata:
  name: base
spec:
  fences: [environment]
  allow:
    - from: {entity: nodes}
      to: {segment: shop}
      "on": [tcp/8080]
      why: kubelet's probes
`;

const SHOP = `# \`on\` is quoted because YAML 1.1, which kubectl reads, takes the bare word for \`true\`.
# One namespace, one segment, three roles. Each workload gets the identity of its service account:
#   spiffe://example.org/ns/shop/sa/cart
apiVersion: v1
kind: Namespace
metadata:
  name: shop
  labels:
    signet.dev/enrol: "true"
---
apiVersion: signet.dev/v1alpha1
kind: Segment
metadata:
  name: shop
spec:
  environment: test
  owner: shop@example.org
  namespaces: [shop]
  mode: enforce
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata:
  name: web
spec:
  segment: shop
  match:
    serviceAccounts: [web]
    kinds: [Pod]
  labels: {tier: front}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata:
  name: cart
spec:
  segment: shop
  match:
    serviceAccounts: [cart]
    kinds: [Pod]
  labels: {tier: middle}
---
apiVersion: signet.dev/v1alpha1
kind: WorkloadRole
metadata:
  name: orders-db
spec:
  segment: shop
  match:
    serviceAccounts: [orders-db]
    kinds: [Pod, VirtualMachine]
  labels: {tier: data}
---
apiVersion: signet.dev/v1alpha1
kind: SegmentPolicy
metadata:
  namespace: shop
  name: shop
spec:
  segment: shop
  allow:
    - from: {entity: outside}
      to: {role: web}
      "on": [tcp/8080]
      why: customers
    - from: {role: web}
      to: {role: cart}
      "on": [tcp/8080]
      why: the shop shows the cart
    - from: {role: cart}
      to: {role: orders-db}
      "on": [tcp/5432]
      why: the cart writes orders
`;

const deployment = (name: string, image: string, port: number): string => `apiVersion: apps/v1
kind: Deployment
metadata:
  namespace: shop
  name: ${name}
spec:
  replicas: 2
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      serviceAccountName: ${name}
      containers:
        - name: ${name}
          image: registry.example.org/shop/${image}
          ports:
            - containerPort: ${port}
`;

const POD = `apiVersion: v1
kind: Pod
metadata:
  namespace: shop
  name: stray
spec:
  # No role names this account, so nobody knows what this Pod is: it is refused.
  serviceAccountName: default
  containers:
    - name: stray
      image: registry.example.org/shop/tools:1
`;

const WORKLOADS = [
  deployment("web", "web:1", 8080),
  deployment("cart", "cart:1", 8080),
  deployment("orders-db", "postgres:17", 5432),
].join("---\n");

/** Makes a catalogue folder with a small shop in it, if there is no such folder yet. True where it did. */
export function makeCatalogueFolder(folder: string): boolean {
  if (existsSync(folder)) return false;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "trust-domain.yaml"), TRUST_DOMAIN);
  writeFileSync(join(folder, "guardrail.yaml"), GUARDRAIL);
  writeFileSync(join(folder, "shop.yaml"), SHOP);
  return true;
}

/** Writes workloads to try the example with: `shop.yaml`, which is admitted, and `stray.yaml`, which is refused. */
export function writeExampleWorkloads(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "shop.yaml"), WORKLOADS);
  writeFileSync(join(folder, "stray.yaml"), POD);
}

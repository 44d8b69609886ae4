import { roleOf, roomOf } from "./catalogue.ts";

const CONTAINER_FIELDS = {
  imagePullPolicy: "IfNotPresent",
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: 10001,
    seccompProfile: { type: "RuntimeDefault" },
  },
  resources: { limits: { cpu: "500m", memory: "256Mi" }, requests: { cpu: "100m", memory: "128Mi" } },
};

const probe = (path: string) => ({
  httpGet: { path, port: "http", scheme: "HTTP" },
  initialDelaySeconds: 5,
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
});

const managedFields = [
  {
    manager: "kube-controller-manager",
    operation: "Update",
    apiVersion: "v1",
    time: "2026-11-20T10:00:00Z",
    fieldsType: "FieldsV1",
    fieldsV1: {
      "f:metadata": {
        "f:annotations": { ".": {}, "f:prometheus.io/port": {}, "f:prometheus.io/scrape": {} },
        "f:generateName": {},
        "f:labels": { ".": {}, "f:app.kubernetes.io/name": {}, "f:pod-template-hash": {} },
        "f:ownerReferences": {},
      },
      "f:spec": {
        "f:containers": {
          'k:{"name":"app"}': { ".": {}, "f:env": {}, "f:image": {}, "f:ports": {}, "f:resources": {} },
        },
        "f:dnsPolicy": {},
        "f:restartPolicy": {},
        "f:serviceAccountName": {},
        "f:volumes": {},
      },
    },
  },
];

const env = Array.from({ length: 12 }, (_, index) => ({
  name: `SETTING_${index}`,
  value: `value-of-setting-${index}`,
}));

/** A Pod as a ReplicaSet's controller creates it and the API server sends it to a webhook: about 4.5 KB as a review. */
export const podOf = (role: number, number: number) => ({
  kind: "Pod",
  apiVersion: "v1",
  metadata: {
    generateName: `${roleOf(role)}-6c4bcf8d7-`,
    namespace: roomOf(role),
    creationTimestamp: null,
    labels: {
      "app.kubernetes.io/name": roleOf(role),
      "app.kubernetes.io/part-of": "bench",
      "pod-template-hash": "6c4bcf8d7",
    } as Record<string, string>,
    annotations: { "prometheus.io/port": "8080", "prometheus.io/scrape": "true" } as Record<string, string>,
    ownerReferences: [
      {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        name: `${roleOf(role)}-6c4bcf8d7`,
        uid: `0b9aee3f-95e2-4b0c-9d5d-${String(number).padStart(12, "0")}`,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
    managedFields,
  },
  spec: {
    volumes: [
      {
        name: `kube-api-access-${number}`,
        projected: {
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
            { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
          ],
          defaultMode: 420,
        },
      },
      { name: "tmp", emptyDir: {} },
    ],
    containers: [
      {
        name: "app",
        image: `registry.example.org/bench/${roleOf(role)}:1.2.3`,
        ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
        env,
        livenessProbe: probe("/healthz"),
        readinessProbe: probe("/readyz"),
        volumeMounts: [
          { name: "tmp", mountPath: "/tmp" },
          {
            name: `kube-api-access-${number}`,
            readOnly: true,
            mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
          },
        ],
        ...CONTAINER_FIELDS,
      },
    ],
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    serviceAccountName: roleOf(role),
    serviceAccount: roleOf(role),
    securityContext: {},
    schedulerName: "default-scheduler",
    tolerations: [
      { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
      { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
    ],
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: "PreemptLowerPriority",
  },
  status: {},
});

/** A Pod of the benches. */
export type BenchPod = ReturnType<typeof podOf>;

/** The review of an object's creation. */
export const reviewOf = (object: BenchPod, number: number): string =>
  JSON.stringify({
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: `705ab4f5-6393-11e8-b7cc-${String(number).padStart(12, "0")}`,
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      requestKind: { group: "", version: "v1", kind: "Pod" },
      requestResource: { group: "", version: "v1", resource: "pods" },
      namespace: object.metadata.namespace,
      operation: "CREATE",
      userInfo: {
        username: "system:serviceaccount:kube-system:replicaset-controller",
        uid: "7d1e8d3c-1b6e-4d6e-8c6a-3f0f1a2b3c4d",
        groups: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
      },
      object,
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
    },
  });

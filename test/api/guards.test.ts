import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accepted } from "../cluster/accepted.ts";
import type { Cluster } from "../cluster/boot.ts";
import { requestPodCertificate } from "../cluster/play-kubelet.ts";
import type { Actor } from "../cluster/users.ts";
import {
  apply,
  type Ask,
  bootEnforcing,
  FIRST_BOOT_MS,
  type Json,
  jsonPatch,
  merge,
  node,
  permit,
  post,
  remove,
  replace,
  SIGNET,
} from "./enforcing.ts";

let cluster: Cluster;

const ADMIN: Actor = {};
const SCHEDULER: Actor = { user: "system:kube-scheduler" };
const NODE = node("n1");
/** May write namespaces, and enrol them in the segment `payments` alone. */
const PAYMENTS: Actor = { user: "payments-lead" };
const ANYBODY: Actor = { user: "anybody" };

const SHOP = "/api/v1/namespaces/shop";
const POD = `${SHOP}/pods/cart`;
const VMI = "/apis/kubevirt.io/v1/namespaces/shop/virtualmachineinstances";
const SIGNER = "signet.dev/svid";
const OUR_AUDIENCE = "signet.dev";

const STAMP = {
  labels: { app: "cart", "signet.dev/role": "cart", "role.signet.dev/tier": "front" },
  annotations: { "signet.dev/spiffe-id": "spiffe://a/ns/shop/sa/cart", "signet.dev/exception": "old" },
};

const identityVolume = {
  name: "identity",
  projected: {
    sources: [{ podCertificate: { signerName: SIGNER, keyType: "ECDSAP256", credentialBundlePath: "bundle.pem" } }],
  },
};

const tokenVolume = (name: string, audience: string): Json => ({
  name,
  projected: { sources: [{ serviceAccountToken: { audience, path: "token" } }] },
});

const podSpec = {
  nodeName: "n1",
  serviceAccountName: "cart",
  containers: [{ name: "main", image: "example.org/none" }],
  volumes: [
    identityVolume,
    tokenVolume("ours", OUR_AUDIENCE),
    tokenVolume("others", "vault"),
    { name: "scratch", emptyDir: {} },
  ],
};

beforeAll(async () => {
  cluster = await bootEnforcing(1);
  const made = (path: string, body: unknown) => accepted(cluster, "POST", path, { body });
  await made("/api/v1/namespaces", { metadata: { name: "shop" } });
  await made(`${SHOP}/serviceaccounts`, { metadata: { name: "cart" } });
  await made("/api/v1/namespaces/kube-system/serviceaccounts", { metadata: { name: "cart" } });
  await made(`${SHOP}/pods`, { metadata: { name: "cart", ...STAMP }, spec: podSpec });
  await made(`${SHOP}/pods`, { metadata: { name: "waits", ...STAMP }, spec: { ...podSpec, nodeName: undefined } });
  await made(VMI, { apiVersion: "kubevirt.io/v1", kind: "VirtualMachineInstance", metadata: { name: "vm", ...STAMP } });
  const all = { apiGroups: [""], resources: ["namespaces", "namespaces/status", "namespaces/finalize"], verbs: ["*"] };
  const enrol = { apiGroups: ["signet.dev"], resources: ["segments"], resourceNames: ["payments"], verbs: ["enrol"] };
  await permit(cluster, "payments-lead", [PAYMENTS], [all, enrol]);
  await permit(
    cluster,
    "signet",
    [SIGNET],
    [
      { apiGroups: ["", "kubevirt.io"], resources: ["*"], verbs: ["*"] },
      { apiGroups: ["certificates.k8s.io"], resources: ["podcertificaterequests/status"], verbs: ["update"] },
      { apiGroups: ["certificates.k8s.io"], resources: ["signers"], resourceNames: [SIGNER], verbs: ["sign"] },
    ],
  );
  await permit(
    cluster,
    "anybody",
    [ANYBODY],
    [
      { apiGroups: ["certificates.k8s.io"], resources: ["*"], verbs: ["*"] },
      { apiGroups: [""], resources: ["namespaces"], verbs: ["*"] },
    ],
  );
}, FIRST_BOOT_MS);

afterAll(() => cluster?.stop(), 60_000);

const labels = (path: string, values: Json): Ask => merge(path, { metadata: { labels: values } });
const annotations = (path: string, values: Json): Ask => merge(path, { metadata: { annotations: values } });

type Row = {
  readonly what: string;
  readonly who: Actor;
  readonly ask: Ask;
  readonly status: number;
  readonly says?: string;
};

const run = async ({ who, ask, status, says }: Row): Promise<void> => {
  const answer = await ask(cluster, who);
  const { message } = answer.body as { readonly message?: string };
  expect({ status: answer.status, message }, message).toMatchObject({ status });
  if (says !== undefined) expect(message).toContain(says);
};

const STAMPED = "Signet's stamp";
const binding = (name: string, metadata: Json): Json => ({
  apiVersion: "v1",
  kind: "Binding",
  metadata: { name, ...metadata },
  target: { apiVersion: "v1", kind: "Node", name: "n1" },
});
const forgedLabel = { labels: { "signet.dev/role": "orders-db" } };
const forgedAnnotation = { annotations: { "signet.dev/stamp": "forged" } };
const withoutStamp = (object: Json): Json => ({ ...object, metadata: { name: "cart", namespace: "shop", labels: {} } });

describe("what runs keeps its stamp", () => {
  const { "signet.dev/role": _role, ...fewer } = STAMP.labels;
  const rows: readonly Row[] = [
    {
      what: "a label changed on the Pod",
      who: ADMIN,
      ask: labels(POD, forgedLabel.labels),
      status: 403,
      says: STAMPED,
    },
    { what: "a label added to the Pod", who: ADMIN, ask: labels(POD, { "role.signet.dev/x": "y" }), status: 403 },
    { what: "a label removed from the Pod", who: ADMIN, ask: labels(POD, { "signet.dev/role": null }), status: 403 },
    {
      what: "a label removed by JSON patch",
      who: ADMIN,
      ask: jsonPatch(POD, [{ op: "remove", path: "/metadata/labels/signet.dev~1role" }]),
      status: 403,
    },
    {
      what: "a label changed by forced server-side apply",
      who: ADMIN,
      ask: apply(POD, { apiVersion: "v1", kind: "Pod", metadata: { name: "cart", ...forgedLabel } }),
      status: 403,
    },
    { what: "the Pod replaced without its stamp", who: ADMIN, ask: replace(POD, withoutStamp), status: 403 },
    { what: "an annotation changed", who: ADMIN, ask: annotations(POD, forgedAnnotation.annotations), status: 403 },
    {
      what: "a label changed through the status",
      who: ADMIN,
      ask: labels(`${POD}/status`, forgedLabel.labels),
      status: 403,
    },
    {
      what: "a label changed through the status by apply",
      who: ADMIN,
      ask: apply(`${POD}/status`, { apiVersion: "v1", kind: "Pod", metadata: { name: "cart", ...forgedLabel } }),
      status: 403,
    },
    {
      what: "a label changed through the status by the scheduler",
      who: SCHEDULER,
      ask: labels(`${POD}/status`, forgedLabel.labels),
      status: 403,
    },
    {
      what: "an annotation changed through the status by a node",
      who: NODE,
      ask: annotations(`${POD}/status`, forgedAnnotation.annotations),
      status: 403,
      says: STAMPED,
    },
    {
      what: "a label brought by a binding",
      who: SCHEDULER,
      ask: post(`${SHOP}/pods/waits/binding`, binding("waits", forgedLabel)),
      status: 403,
      says: STAMPED,
    },
    {
      what: "an annotation brought by a binding",
      who: SCHEDULER,
      ask: post(`${SHOP}/pods/waits/binding`, binding("waits", forgedAnnotation)),
      status: 403,
    },
    {
      what: "a label brought by a binding of the old kind",
      who: SCHEDULER,
      ask: post(`${SHOP}/bindings`, binding("waits", forgedLabel)),
      status: 403,
    },
    {
      what: "a label changed on a virtual machine instance",
      who: ADMIN,
      ask: labels(`${VMI}/vm`, forgedLabel.labels),
      status: 403,
    },
  ];
  test.each(rows)("$what is refused", run);

  const free: readonly Row[] = [
    { what: "other labels", who: ADMIN, ask: labels(POD, { app: "cart-2" }), status: 200 },
    {
      what: "the two annotations that users write",
      who: ADMIN,
      ask: annotations(POD, { "signet.dev/exception": "new", "signet.dev/use-role": "cart" }),
      status: 200,
    },
    { what: "other labels through the status", who: ADMIN, ask: labels(`${POD}/status`, { seen: "yes" }), status: 200 },
    {
      what: "a status by its node",
      who: NODE,
      ask: merge(`${POD}/status`, { status: { phase: "Running" } }),
      status: 200,
    },
    {
      what: "an annotation of another prefix by a node",
      who: NODE,
      ask: annotations(`${POD}/status`, { "example.org/a": "b" }),
      status: 200,
    },
    {
      what: "a binding",
      who: SCHEDULER,
      ask: post(`${SHOP}/pods/waits/binding`, binding("waits", { labels: { zone: "a" } })),
      status: 201,
    },
    {
      what: "a stamp that Signet renews",
      who: SIGNET,
      ask: labels(POD, { ...fewer, "signet.dev/role": "cart-2" }),
      status: 200,
    },
    {
      what: "a virtual machine instance's own labels",
      who: ADMIN,
      ask: labels(`${VMI}/vm`, { app: "vm" }),
      status: 200,
    },
  ];
  test.each(free)("not touched: $what", run);
});

const born = (metadata: Json): Json => ({
  metadata: { generateName: "born-", ...metadata },
  spec: { ...podSpec, volumes: [] },
});
const mirror = (metadata: { readonly annotations?: Json; readonly labels?: Json }): Json => ({
  ...born({
    ...metadata,
    annotations: { "kubernetes.io/config.mirror": "x", ...metadata.annotations },
    ownerReferences: [{ apiVersion: "v1", kind: "Node", name: "n1", uid: "UID", controller: true }],
  }),
  spec: { nodeName: "n1", containers: podSpec.containers },
});

/** A mirror Pod names its node by UID. */
const postMirror =
  (namespace: string, metadata: Parameters<typeof mirror>[0]): Ask =>
  async (cluster, who) => {
    const { body } = await cluster.request("GET", "/api/v1/nodes/n1");
    const { uid } = (body as { readonly metadata: { readonly uid: string } }).metadata;
    const pod = JSON.parse(JSON.stringify(mirror(metadata)).replace("UID", uid)) as Json;
    return post(`/api/v1/namespaces/${namespace}/pods`, pod)(cluster, who);
  };

describe("nothing is born with a stamp where no webhook looks", () => {
  const SYSTEM = "/api/v1/namespaces/kube-system/pods";
  const rows: readonly Row[] = [
    {
      what: "a labelled Pod in kube-system",
      who: ADMIN,
      ask: post(SYSTEM, born(forgedLabel)),
      status: 403,
      says: STAMPED,
    },
    { what: "an annotated Pod in kube-system", who: ADMIN, ask: post(SYSTEM, born(forgedAnnotation)), status: 403 },
    { what: "a labelled mirror Pod", who: NODE, ask: postMirror("shop", forgedLabel), status: 403, says: STAMPED },
    { what: "an annotated mirror Pod", who: NODE, ask: postMirror("shop", forgedAnnotation), status: 403 },
    {
      what: "a labelled mirror Pod in kube-system",
      who: NODE,
      ask: postMirror("kube-system", forgedLabel),
      status: 403,
    },
    {
      what: "a labelled virtual machine instance in kube-system",
      who: ADMIN,
      ask: post("/apis/kubevirt.io/v1/namespaces/kube-system/virtualmachineinstances", {
        apiVersion: "kubevirt.io/v1",
        kind: "VirtualMachineInstance",
        metadata: { name: "forged", ...forgedLabel },
      }),
      status: 403,
    },
  ];
  test.each(rows)("$what is refused", run);

  const free: readonly Row[] = [
    { what: "a Pod in kube-system", who: ADMIN, ask: post(SYSTEM, born({ labels: { app: "dns" } })), status: 201 },
    {
      what: "a Pod in kube-system that points to an exception",
      who: ADMIN,
      ask: post(SYSTEM, born({ annotations: { "signet.dev/exception": "x" } })),
      status: 201,
    },
    { what: "a mirror Pod", who: NODE, ask: postMirror("kube-system", { labels: { app: "static" } }), status: 201 },
    {
      what: "a Pod in an ordinary namespace, which is the webhooks' to judge",
      who: ADMIN,
      ask: post(`${SHOP}/pods`, born(forgedLabel)),
      status: 201,
    },
  ];
  test.each(free)("not touched: $what", run);
});

describe("ephemeral containers", () => {
  const ephemeral = (name: string, volume: string): Ask =>
    merge(`${POD}/ephemeralcontainers?dryRun=All`, {
      spec: {
        ephemeralContainers: [
          { name, image: "example.org/debug", volumeMounts: [{ name: volume, mountPath: "/look" }] },
        ],
      },
    });
  test.each<Row>([
    { what: "the identity volume", who: ADMIN, ask: ephemeral("key", "identity"), status: 403, says: "private key" },
    { what: "a token for our doors", who: ADMIN, ask: ephemeral("token", "ours"), status: 403, says: "or its token" },
    { what: "a token for others", who: ADMIN, ask: ephemeral("others", "others"), status: 200 },
    { what: "another volume", who: ADMIN, ask: ephemeral("debug", "scratch"), status: 200 },
  ])("mounting $what: $status", run);
});

describe("labels of namespaces", () => {
  const path = "/api/v1/namespaces/shop";
  const segment = (name: string | null) => ({ "signet.dev/segment": name });
  const ENROL = { "signet.dev/enrol": "true" };
  const finalize = (values: Json): Ask =>
    replace(
      path,
      (object) => ({ ...object, metadata: { ...(object["metadata"] as Json), labels: values } }),
      `${path}/finalize`,
    );
  const create = (values: Json): Ask =>
    post("/api/v1/namespaces?dryRun=All", { metadata: { name: "fresh", labels: values } });
  const steps: readonly Row[] = [
    {
      what: "a namespace born in a segment, without the verb",
      who: ANYBODY,
      ask: create(segment("payments")),
      status: 403,
    },
    { what: "a namespace born enrolled, without the verb", who: ANYBODY, ask: create(ENROL), status: 403 },
    {
      what: "a namespace born in a segment, with the verb",
      who: PAYMENTS,
      ask: create(segment("payments")),
      status: 201,
    },
    {
      what: "enrolling without a segment, without the verb on namespaces",
      who: PAYMENTS,
      ask: labels(path, ENROL),
      status: 403,
      says: "verb enrol on namespaces",
    },
    {
      what: "joining another's segment",
      who: PAYMENTS,
      ask: labels(path, segment("orders")),
      status: 403,
      says: "old and the new segment",
    },
    {
      what: "joining through the status",
      who: PAYMENTS,
      ask: labels(`${path}/status`, segment("orders")),
      status: 403,
    },
    { what: "joining through the finalizers", who: PAYMENTS, ask: finalize(segment("orders")), status: 403 },
    {
      what: "joining by apply",
      who: PAYMENTS,
      ask: apply(path, { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", labels: segment("orders") } }),
      status: 403,
    },
    { what: "joining one's own segment", who: PAYMENTS, ask: labels(path, segment("payments")), status: 200 },
    { what: "enrolling in one's own segment", who: PAYMENTS, ask: labels(path, ENROL), status: 200 },
    { what: "other labels", who: ANYBODY, ask: labels(path, { team: "shop" }), status: 200 },
    {
      what: "a value that means nothing",
      who: PAYMENTS,
      ask: labels(path, { "signet.dev/enrol": "yes" }),
      status: 403,
      says: "not there",
    },
    {
      what: "leaving enrolment without the verb",
      who: ANYBODY,
      ask: labels(path, { "signet.dev/enrol": null }),
      status: 403,
    },
    {
      what: "moving to a segment that is not one's own",
      who: PAYMENTS,
      ask: labels(path, segment("orders")),
      status: 403,
    },
    {
      what: "leaving one's own segment for none, still enrolled",
      who: PAYMENTS,
      ask: labels(path, segment(null)),
      status: 200,
    },
    {
      what: "leaving enrolment with no segment, without the verb on namespaces",
      who: PAYMENTS,
      ask: labels(path, { "signet.dev/enrol": null }),
      status: 403,
    },
    { what: "an administrator", who: ADMIN, ask: labels(path, { "signet.dev/enrol": null }), status: 200 },
  ];
  test.each(steps)("$what: $status", run);

  test("an enrolled namespace can always be deleted", async () => {
    await post("/api/v1/namespaces", { metadata: { name: "going", labels: { ...ENROL, ...segment("payments") } } })(
      cluster,
      ADMIN,
    );
    await run({ what: "", who: ANYBODY, ask: remove("/api/v1/namespaces/going"), status: 200 });
  });
});

describe("certificates", () => {
  const requests = "/apis/certificates.k8s.io/v1/namespaces/shop/podcertificaterequests";
  const ask =
    (signerName: string): Ask =>
    async (cluster, who) =>
      (await requestPodCertificate(cluster, { namespace: "shop", pod: "cart", node: "n1" }, signerName, who)).answer;

  test.each<Row>([
    { what: "an administrator asks our signer", who: ADMIN, ask: ask(SIGNER), status: 403, says: "Only a node" },
    { what: "anybody asks our signer", who: ANYBODY, ask: ask(SIGNER), status: 403 },
    { what: "Signet asks itself", who: SIGNET, ask: ask(SIGNER), status: 403 },
    { what: "anybody asks another signer", who: ANYBODY, ask: ask("example.org/other"), status: 201 },
    { what: "the Pod's node asks our signer", who: NODE, ask: ask(SIGNER), status: 201 },
  ])("$what: $status", run);

  test("only Signet answers", async () => {
    const made = await ask(SIGNER)(cluster, NODE);
    const { name } = (made.body as { readonly metadata: { readonly name: string } }).metadata;
    const denial = {
      type: "Denied",
      status: "True",
      reason: "Test",
      message: "a test",
      lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    };
    const deny = replace(
      `${requests}/${name}`,
      (object) => ({ ...object, status: { conditions: [denial] } }),
      `${requests}/${name}/status`,
    );
    await run({ what: "", who: ADMIN, ask: deny, status: 403, says: "Only Signet answers" });
    await run({ what: "", who: SIGNET, ask: deny, status: 200 });
  });
});

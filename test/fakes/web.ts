import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import supertest from "supertest";
import { type ServingCertificate, servingCertificate } from "../../src/ca/serving.ts";
import type { Catalogue } from "../../src/domain/catalogue.ts";
import { buildServer, type HttpServer, type ServerSettings } from "../../src/http/server.ts";
import { IssuingFigures } from "../../src/http/issuing/figures.ts";
import type { Judged, Services } from "../../src/http/services.ts";
import { catalogueOf, NOON } from "./judging.ts";

/** An enrolled shop in force, and a namespace beside it that is not enrolled. */
export const SHOP = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: free}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {environment: test, namespaces: [shop, free], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: cart}, spec: {segment: shop, match: {serviceAccounts: [cart]}, labels: {tier: middle}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: job}, spec: {segment: shop, match: {serviceAccounts: [job], createdBy: ["system:serviceaccount:kube-system:job-controller"]}}}
`;

/** Services that answer from fixed values and remember what they were given. */
export type FakeServices = Services & {
  readonly recorded: Judged[];
  readonly said: { readonly level: string; readonly sentence: string; readonly fields: object }[];
  /** What \`catalogue()\` gives. */
  current: Catalogue | undefined;
};

/** Makes them. */
export function fakeServices(over: Partial<Services> = {}): FakeServices {
  const recorded: Judged[] = [];
  const said: { level: string; sentence: string; fields: object }[] = [];
  const say = (level: string) => (fields: object, sentence: string) => void said.push({ level, sentence, fields });
  const services: FakeServices = {
    current: catalogueOf(SHOP),
    catalogue: () => services.current,
    now: () => NOON,
    requireApproval: false,
    record: (judged) => void recorded.push(judged),
    checks: () => [{ name: "catalogue", ok: services.current !== undefined, detail: "" }],
    readings: () => ({
      catalogueReadAt: NOON,
      catalogueBroken: false,
      catalogueReads: { good: 1, broken: 0 },
      ledgerQueued: 0,
      ledgerWritten: 0,
      ledgerDropped: 0,
      ledgerFailures: 0,
      ledgerFailing: false,
      certificateNotAfter: NOON,
    }),
    log: { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") },
    issuing: new IssuingFigures(() => 0, {
      ends: () => [{ what: "root", id: "0123456789abcdef", at: NOON }],
      stage: () => "active",
    }),
    recorded,
    said,
    ...over,
  };
  return services;
}

/** A server that runs, and how to call it. */
export type Web = {
  readonly http: HttpServer;
  readonly services: FakeServices;
  readonly port: number;
  readonly authority: string;
  readonly request: ReturnType<typeof supertest>;
  readonly stop: () => Promise<void>;
};

let made: Promise<ServingCertificate> | undefined;

/** One serving certificate for all tests of a file. */
export function testCertificate(): Promise<ServingCertificate> {
  made ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), "signet-test-"));
    const certificate = await servingCertificate(folder, ["127.0.0.1", "::1", "localhost"], Date.now());
    rmSync(folder, { recursive: true });
    return certificate;
  })();
  return made;
}

/** Starts a server on a free port of loopback. */
export async function startWeb(
  voice: "http" | "https",
  settings: Partial<ServerSettings> = {},
  services: FakeServices = fakeServices(),
): Promise<Web> {
  const certificate = await testCertificate();
  const pair = voice === "https" ? { pair: certificate } : {};
  const http = buildServer(services, { version: "0.0.0-test", ...pair, ...settings });
  const port = await http.listen("127.0.0.1", 0);
  return {
    http,
    services,
    port,
    authority: certificate.authority,
    request: supertest(`${voice}://127.0.0.1:${port}`),
    stop: () => http.drain(0, 1000),
  };
}

type Raw = Readonly<Record<string, unknown>>;

/** An AdmissionReview of a Pod's creation in shop by a ReplicaSet's controller; `request` is laid over it. */
export const review = (request: Raw = {}): Raw => ({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: {
    uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
    kind: { group: "", version: "v1", kind: "Pod" },
    resource: { group: "", version: "v1", resource: "pods" },
    requestKind: { group: "", version: "v1", kind: "Pod" },
    requestResource: { group: "", version: "v1", resource: "pods" },
    name: "",
    namespace: "shop",
    operation: "CREATE",
    userInfo: {
      username: "system:serviceaccount:kube-system:replicaset-controller",
      groups: ["system:authenticated"],
    },
    object: pod(),
    oldObject: null,
    dryRun: false,
    options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
    ...request,
  },
});

/** A Pod of account cart as a ReplicaSet's controller makes it: no name, no namespace. */
export const pod = (metadata: Raw = {}, spec: Raw = {}): Raw => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { generateName: "cart-", labels: { app: "cart" }, ...metadata },
  spec: { serviceAccountName: "cart", containers: [{ name: "cart", image: "cart:1" }], ...spec },
});

/** What Signet stamps on a Pod of role cart. */
export const STAMP = {
  labels: {
    "signet.dev/role": "cart",
    "signet.dev/segment": "shop",
    "signet.dev/environment": "test",
    "role.signet.dev/tier": "middle",
  },
  annotations: {
    "signet.dev/spiffe-id": "spiffe://example.org/ns/shop/sa/cart",
    "signet.dev/stamp": '{"role":{"name":"cart"},"segment":{"name":"shop"}}',
  },
} as const;

/** That Pod as it stands after mutation. */
export const stampedPod = (metadata: Raw = {}, spec: Raw = {}): Raw =>
  pod({ labels: { app: "cart", ...STAMP.labels }, annotations: STAMP.annotations, ...metadata }, spec);

/** The response of an answer, its patch decoded. */
export function responseOf(body: unknown): {
  readonly uid: string;
  readonly allowed: boolean;
  readonly patchType?: string;
  readonly patch?: string;
  readonly operations?: readonly Raw[];
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
  readonly status?: { readonly code: number; readonly message: string; readonly reason?: string };
} {
  const { response } = body as { response: ReturnType<typeof responseOf> };
  if (response.patch === undefined) return response;
  return { ...response, operations: JSON.parse(Buffer.from(response.patch, "base64").toString()) as readonly Raw[] };
}

/** The labels and annotations that an answer stamps, by their keys. */
export const stampIn = ({ operations = [] }: ReturnType<typeof responseOf>): Readonly<Record<string, unknown>> =>
  Object.assign(
    {},
    ...operations.map(({ path, value }) => {
      const [, , , key] = String(path).split("/");
      return key === undefined ? value : { [key.replaceAll("~1", "/").replaceAll("~0", "~")]: value };
    }),
  );

import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { webhookConfigurations } from "../../src/wire/manifests/webhooks.ts";
import { accepted } from "../cluster/accepted.ts";
import type { ApiAnswer } from "../cluster/api.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { makeAuthority } from "../cluster/pki.ts";
import { CONTROLLERS, pathOf, pod, templateOf } from "./objects.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const TEST_MS = 60_000;
const MERGE = "application/merge-patch+json";

/** What a webhook does wrong; `fine` answers as it should, without a stamp, and `pausing` does so after half a second. */
type Fault =
  | "fine"
  | "pausing"
  | "slow"
  | "wrongUid"
  | "malformed"
  | "wrongKind"
  | "failing"
  | "notApplying"
  | "notAPatch";

type Request = { readonly uid: string };

let cluster: Cluster;
let server: Server;
let fault: Fault = "fine";
const told: string[] = [];

const answerOf = (response: object): string =>
  JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response });

const patched = (text: string): object => ({ patchType: "JSONPatch", patch: Buffer.from(text).toString("base64") });

/** The body of an answer, by the fault. */
const BODIES: Readonly<Record<Fault, (request: Request, mutates: boolean) => string>> = {
  fine: ({ uid }) => answerOf({ uid, allowed: true }),
  pausing: ({ uid }) => answerOf({ uid, allowed: true }),
  slow: ({ uid }) => answerOf({ uid, allowed: true }),
  wrongUid: () => answerOf({ uid: "another", allowed: true }),
  malformed: () => '{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionRev',
  wrongKind: ({ uid }) => JSON.stringify({ apiVersion: "v1", kind: "Pod", response: { uid, allowed: true } }),
  failing: () => "no",
  notApplying: ({ uid }, mutates) =>
    answerOf({ uid, allowed: true, ...(mutates ? patched('[{"op":"remove","path":"/metadata/labels/none"}]') : {}) }),
  notAPatch: ({ uid }, mutates) => answerOf({ uid, allowed: true, ...(mutates ? patched("[{") : {}) }),
};

const DELAYS_MS: Readonly<Partial<Record<Fault, number>>> = { pausing: 500, slow: 5_000 };

async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { request } = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { readonly request: Request };
  const mutates = incoming.url?.startsWith("/mutate") ?? false;
  told.push(mutates ? "mutate" : "validate");
  await sleep(DELAYS_MS[fault] ?? 0, undefined, { ref: false });
  outgoing.writeHead(fault === "failing" ? 500 : 200, { "content-type": "application/json" });
  outgoing.end(BODIES[fault](request, mutates));
}

beforeAll(async () => {
  cluster = await bootCluster({ components: [], audit: "off" });
  server = createServer(
    await cluster.authority.server({ name: "webhook" }, ["127.0.0.1"]),
    (incoming, outgoing) => void answer(incoming, outgoing).catch(() => outgoing.destroy()),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  for (const [name, labels] of [
    ["enrolled", { "signet.dev/enrol": "true" }],
    ["other", {}],
  ] as const) {
    await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name, labels } } });
    await accepted(cluster, "POST", pathOf(name, "serviceaccounts"), { body: { metadata: { name: "default" } } });
    await accepted(cluster, "POST", pathOf(name, "pods"), { body: pod("running") });
    await accepted(cluster, "POST", pathOf(name, "pods"), { body: pod("kept", { finalizers: ["example.org/keep"] }) });
    const { spec } = CONTROLLERS.deployments;
    await accepted(cluster, "POST", pathOf(name, "deployments"), { body: { metadata: { name: "web" }, spec } });
  }
  const address = server.address();
  const url = `https://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  for (const configuration of webhookConfigurations({ reach: { by: "url", url }, virtControllers: [] }))
    await install(configuration, cluster.authority.cert);
  await vi.waitFor(
    async () => {
      told.length = 0;
      await create("enrolled")();
      expect(told.toSorted()).toEqual(["mutate", "validate"]);
    },
    { timeout: 20_000 },
  );
}, FIRST_BOOT_MS);

afterAll(async () => {
  server?.closeAllConnections();
  server?.close();
  await cluster?.stop();
}, TEST_MS);

type Configuration = ReturnType<typeof webhookConfigurations>[number];
type Entry = { readonly clientConfig: object };

const configurationPath = ({ kind }: Configuration): string =>
  `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s`;

async function install(configuration: Configuration, authority: string): Promise<void> {
  const caBundle = Buffer.from(authority).toString("base64");
  const webhooks = (configuration["webhooks"] as readonly Entry[]).map((entry) => ({
    ...entry,
    clientConfig: { ...entry.clientConfig, caBundle },
  }));
  await accepted(cluster, "POST", configurationPath(configuration), { body: { ...configuration, webhooks } });
}

type Act = () => Promise<ApiAnswer>;
const create =
  (namespace: string, meta: Readonly<Record<string, unknown>> = {}): Act =>
  () =>
    cluster.request("POST", `${pathOf(namespace, "pods")}?dryRun=All`, { body: pod("new", meta) });
const patch =
  (namespace: string, resource: string, name: string, body: object): Act =>
  () =>
    cluster.request("PATCH", `${pathOf(namespace, resource, name)}?dryRun=All`, { body, contentType: MERGE });
const remove =
  (namespace: string, name: string): Act =>
  () =>
    cluster.request("DELETE", `${pathOf(namespace, "pods", name)}?dryRun=All`);

const template = { spec: { template: templateOf("example.org/other") } };
const debugging = { ephemeralContainers: [{ name: "debug", image: "example.org/none" }] };
const forged = { labels: { "signet.dev/role": "any" } };

/** What is asked, and whether the API server may let it pass though the webhook cannot be trusted to answer. */
const ROWS: readonly (readonly [string, Act, "refused" | "passes"])[] = [
  ["a Pod in an enrolled namespace", create("enrolled"), "refused"],
  ["a Pod elsewhere", create("other"), "passes"],
  ["a Pod elsewhere that brings a stamp", create("other", forged), "refused"],
  [
    "another label on a Pod that runs",
    patch("enrolled", "pods", "running", { metadata: { labels: { app: "a" } } }),
    "refused",
  ],
  [
    "another annotation on it",
    patch("enrolled", "pods", "running", { metadata: { annotations: { "a.b/c": "d" } } }),
    "passes",
  ],
  ["an ephemeral container", patch("enrolled", "pods", "running/ephemeralcontainers", { spec: debugging }), "refused"],
  ["the last finalizer", patch("enrolled", "pods", "kept", { metadata: { finalizers: null } }), "passes"],
  ["a deletion", remove("enrolled", "running"), "passes"],
  ["another image in a template", patch("enrolled", "deployments", "web", template), "refused"],
  ["more replicas", patch("enrolled", "deployments", "web/scale", { spec: { replicas: 3 } }), "passes"],
  ["a template elsewhere", patch("other", "deployments", "web", template), "passes"],
];

const outcome = async (act: Act): Promise<string> => ((await act()).status < 300 ? "passes" : "refused");

/** All rows at once: a slow webhook costs its time-out once. */
const outcomes = async () =>
  Object.fromEntries(await Promise.all(ROWS.map(async ([what, act]) => [what, await outcome(act)] as const)));

const expected = (over: Readonly<Record<string, string>> = {}) => ({
  ...Object.fromEntries(ROWS.map(([what, , wanted]) => [what, wanted])),
  ...over,
});

const all = (wanted: string) => Object.fromEntries(ROWS.map(([what]) => [what, wanted]));

describe("a webhook that answers wrongly", { timeout: TEST_MS }, () => {
  test("answers rightly, and everything passes", async () => {
    fault = "fine";
    expect(await outcomes()).toEqual(all("passes"));
  });

  test.each(["slow", "wrongUid", "malformed", "wrongKind", "failing"] as const)(
    "%s: what fails closed is refused, and nothing else",
    async (wrong) => {
      fault = wrong;
      expect(await outcomes()).toEqual(expected());
    },
  );

  /** Validation is asked and answers well here: only the stamp is missing, which the real server would refuse. */
  test("notAPatch: mutation that cannot be read is passed over, as if it had not answered", async () => {
    fault = "notAPatch";
    expect(await outcomes()).toEqual(all("passes"));
  });

  test("notApplying: a patch that does not apply refuses even where mutation fails open", async () => {
    fault = "notApplying";
    expect(await outcomes()).toEqual({
      ...all("passes"),
      "a Pod in an enrolled namespace": "refused",
      "a Pod elsewhere": "refused",
      "a Pod elsewhere that brings a stamp": "refused",
    });
  });
});

describe("a certificate that cannot be trusted", { timeout: TEST_MS }, () => {
  const EXPIRED = "expired";
  test.each(["of another authority", EXPIRED, "for another name"] as const)(
    "%s: what fails closed is refused, and nothing else; the right one again, and all passes",
    async (which) => {
      fault = "fine";
      const rightful = await cluster.authority.server({ name: "webhook" }, ["127.0.0.1"]);
      const wrong = {
        "of another authority": async () => (await makeAuthority("another")).server({ name: "webhook" }, ["127.0.0.1"]),
        [EXPIRED]: () => cluster.authority.server({ name: "webhook" }, ["127.0.0.1"], "over"),
        "for another name": () => cluster.authority.server({ name: "webhook" }, ["127.0.0.2"]),
      } as const;
      server.setSecureContext(await wrong[which]());
      server.closeAllConnections();
      expect(await outcomes()).toEqual(expected());
      server.setSecureContext(rightful);
      server.closeAllConnections();
      await expect.poll(outcomes, { timeout: 20_000 }).toEqual(all("passes"));
    },
  );

  test("rotated while a call is under way: the call is answered, and the next one too", async () => {
    fault = "pausing";
    told.length = 0;
    const waiting = create("enrolled")();
    await expect.poll(() => told).toEqual(["mutate"]);
    server.setSecureContext(await cluster.authority.server({ name: "webhook" }, ["127.0.0.1"]));
    expect((await waiting).status).toBe(201);
    fault = "fine";
    expect(await outcomes()).toEqual(all("passes"));
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fakeServices, pod, responseOf, review, STAMP, stampedPod, stampIn, startWeb, type Web } from "../fakes/web.ts";

const NAMES = { mutate: "/mutate?timeout=10s", validate: "/validate?timeout=10s" } as const;
const SA = "system:serviceaccount:kube-system:replicaset-controller";

describe.each(["http", "https"] as const)("admission.k8s.io/v1 over %s", (voice) => {
  let web: Web;
  beforeAll(async () => {
    web = await startWeb(voice);
  });
  afterAll(() => web.stop());
  beforeEach(() => {
    web.services.recorded.length = 0;
  });

  const post = (webhook: keyof typeof NAMES, body: unknown) => {
    const call = web.request.post(NAMES[webhook]).set("Content-Type", "application/json");
    return (voice === "https" ? call.ca(web.authority) : call).send(body as object);
  };
  const answer = async (webhook: keyof typeof NAMES, body: unknown) => {
    const reply = await post(webhook, body);
    expect({ status: reply.status, type: reply.type }).toEqual({ status: 200, type: "application/json" });
    return responseOf(reply.body);
  };

  test("1: POST with application/json and ?timeout is answered", async () => {
    const reply = await post("mutate", review());
    expect(reply.status).toBe(200);
  });

  test("1: any other method, content type or encoding is refused without a verdict", async () => {
    const trusting = <T extends { ca: (pem: string) => T }>(call: T): T =>
      voice === "https" ? call.ca(web.authority) : call;
    const got = await trusting(web.request.get("/mutate"));
    const form = await trusting(web.request.post("/mutate")).type("form").send("a=b");
    const packed = await trusting(web.request.post("/mutate")).type("json").set("Content-Encoding", "gzip").send("x");
    expect(
      [got, form, packed].map((reply) => [reply.status, reply.type, (JSON.parse(reply.text) as { code: string }).code]),
    ).toEqual([
      [405, "application/problem+json", "REVIEW_INVALID"],
      [415, "application/problem+json", "REVIEW_INVALID"],
      [415, "application/problem+json", "REVIEW_INVALID"],
    ]);
    expect(got.headers["allow"]).toBe("POST");
  });

  test("1: each call has a uid of its own, and a repeated one gets the same answer", async () => {
    const [first, second] = await Promise.all(["a", "b"].map((uid) => answer("mutate", review({ uid }))));
    expect([first?.uid, second?.uid]).toEqual(["a", "b"]);
    expect(first?.patch).toBe(second?.patch);
  });

  test("2: name and metadata.namespace may be absent; the namespace is the request's", async () => {
    const answered = await answer("mutate", review({ name: "", object: pod() }));
    expect(stampIn(answered)["signet.dev/spiffe-id"]).toBe("spiffe://example.org/ns/shop/sa/cart");
    expect(web.services.recorded[0]?.request.workload?.object).toEqual({
      apiVersion: "v1",
      kind: "Pod",
      namespace: "shop",
      name: "cart-*",
    });
  });

  test("3: the operation is the effective one, whatever the options say", async () => {
    const patched = {
      operation: "UPDATE",
      object: stampedPod({ name: "cart-1", labels: { app: "other", ...STAMP.labels } }),
    };
    const options = { kind: "PatchOptions", apiVersion: "meta.k8s.io/v1", force: true };
    const { allowed } = await answer(
      "validate",
      review({ ...patched, oldObject: stampedPod({ name: "cart-1" }), options }),
    );
    expect(allowed).toBe(true);
    expect(web.services.recorded[0]?.request.operation).toBe("UPDATE");
  });

  test("4: object is null on DELETE, oldObject on CREATE and CONNECT", async () => {
    const deleted = review({ operation: "DELETE", object: null, oldObject: stampedPod(), options: null });
    const exec = review({
      operation: "CONNECT",
      kind: { group: "", version: "v1", kind: "PodExecOptions" },
      subResource: "exec",
      object: { kind: "PodExecOptions", apiVersion: "v1", command: ["sh"] },
    });
    for (const body of [deleted, exec])
      for (const webhook of ["mutate", "validate"] as const)
        expect(await answer(webhook, body)).toEqual({
          uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
          allowed: true,
        });
  });

  test.each([
    "pods/exec PodExecOptions",
    "pods/attach PodAttachOptions",
    "pods/binding Binding",
    "pods/eviction Eviction",
  ])("4: %s is not taken for a Pod", async (what) => {
    const [resource = "", kind = ""] = what.split(" ");
    const body = review({
      subResource: resource.split("/")[1],
      kind: { group: "", version: "v1", kind },
      object: { apiVersion: "v1", kind, metadata: { name: "cart-1" }, spec: { hostNetwork: true } },
    });
    expect((await answer("validate", body)).allowed).toBe(true);
  });

  test("5: kind decides, requestKind is only logged", async () => {
    const requestKind = { group: "apps", version: "v1beta1", kind: "Deployment" };
    const converted = review({ requestKind });
    expect((await answer("mutate", converted)).patchType).toBe("JSONPatch");
    const foreign = review({
      kind: { group: "", version: "v1", kind: "ConfigMap" },
      object: { kind: "ConfigMap", apiVersion: "v1" },
    });
    expect(await answer("mutate", foreign)).not.toHaveProperty("patch");
  });

  test("5: an object that is not the kind named is a contradiction, denied in words", async () => {
    const body = review({ object: { ...pod(), kind: "ConfigMap" } });
    const { allowed, status } = await answer("validate", body);
    expect([allowed, status?.code, status?.message]).toEqual([
      false,
      400,
      "object.kind: The object is not the Pod that the review names. [FIELD_CONFLICT]",
    ]);
  });

  test("6: a dry run gets the same verdict and leaves nothing behind", async () => {
    const wet = await answer("mutate", review());
    expect(web.services.recorded).toHaveLength(1);
    const dry = await answer("mutate", review({ dryRun: true }));
    expect(dry).toEqual(wet);
    expect(web.services.recorded).toHaveLength(1);
  });

  test("7: a review of 6 MiB is answered, one above 7 MiB gets 413", async () => {
    const padded = (mib: number) => review({ object: pod({ annotations: { pad: "x".repeat(mib * 1024 * 1024) } }) });
    expect((await answer("mutate", padded(6))).allowed).toBe(true);
    const large = await post("mutate", padded(8)).catch((fault: Error) => fault);
    if (large instanceof Error) expect(large.message).toMatch(/ECONNRESET|EPIPE|socket hang up/);
    else expect([large.status, (JSON.parse(large.text) as { code: string }).code]).toEqual([413, "INPUT_TOO_LARGE"]);
  });

  test("8: the answer is v1 exactly and carries the uid of the request", async () => {
    const reply = await post("validate", review({ object: stampedPod(), uid: 'odd "uid" \\ é' }));
    const { apiVersion, kind } = reply.body as { apiVersion: string; kind: string };
    expect({ apiVersion, kind }).toEqual({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" });
    expect(responseOf(reply.body).uid).toBe('odd "uid" \\ é');
  });

  test.each([
    ["no JSON", "{", ""],
    ["no object", "[]", ""],
    ["another version", JSON.stringify({ ...review(), apiVersion: "admission.k8s.io/v1beta1" }), "apiVersion"],
    ["another kind", JSON.stringify({ ...review(), kind: "Pod" }), "apiVersion"],
    ["no request", JSON.stringify({ ...review(), request: null }), "request"],
    ["no uid", JSON.stringify(review({ uid: "" })), "request.uid"],
    ["a uid that is no text", JSON.stringify(review({ uid: 7 })), "request.uid"],
    ["an unknown operation", JSON.stringify(review({ operation: "PATCH" })), "request.operation"],
    ["no kind", JSON.stringify(review({ kind: {} })), "request.kind"],
    ["a namespace that is no text", JSON.stringify(review({ namespace: {} })), "request.namespace"],
    ["a dryRun that is no boolean", JSON.stringify(review({ dryRun: "yes" })), "request.dryRun"],
    ["a user that is a text", JSON.stringify(review({ userInfo: "root" })), "request.userInfo"],
  ])("8: %s is answered without a verdict, as a problem with a stable code", async (_what, body, path) => {
    const reply = await post("validate", body);
    const problem = JSON.parse(reply.text) as { code: string; status: number; problems: { path: string }[] };
    expect([reply.status, reply.type, problem.code, problem.status, problem.problems[0]?.path]).toEqual([
      400,
      "application/problem+json",
      "REVIEW_INVALID",
      400,
      path,
    ]);
  });

  test("9: mutation answers patch and patchType together, as base64 of a JSON array", async () => {
    const { patchType, operations } = await answer("mutate", review());
    expect(patchType).toBe("JSONPatch");
    expect(operations).toEqual([
      ...Object.entries(STAMP.labels).map(([key, value]) => ({
        op: "add",
        path: `/metadata/labels/${key.replace("/", "~1")}`,
        value,
      })),
      { op: "add", path: "/metadata/annotations", value: STAMP.annotations },
    ]);
  });

  test("9: neither patch nor patchType where there is nothing to change, and never from validation", async () => {
    const silent = await answer("mutate", review({ object: stampedPod() }));
    const validated = await answer("validate", review({ object: stampedPod() }));
    for (const each of [silent, validated]) {
      expect(each).not.toHaveProperty("patch");
      expect(each).not.toHaveProperty("patchType");
      expect(each.allowed).toBe(true);
    }
  });

  test.each([
    ["no labels map", pod({ labels: null })],
    ["no annotations map", pod()],
    ["neither", { ...pod(), metadata: { generateName: "cart-" } }],
    ["no metadata", { ...pod(), metadata: undefined }],
    ["a spoofed label with tilde and slash", pod({ labels: { "signet.dev/a~b": "x", app: "cart" } })],
  ])("10: the patch applies to a Pod with %s, and then there is nothing left to patch", async (_what, object) => {
    const { operations } = await answer("mutate", review({ object }));
    const patched = applied(JSON.parse(JSON.stringify(object)) as Json, operations ?? []);
    expect((patched["metadata"] as Json)["labels"]).toMatchObject(STAMP.labels);
    expect((patched["metadata"] as Json)["annotations"]).toMatchObject(STAMP.annotations);
    expect(await answer("mutate", review({ object: patched }))).not.toHaveProperty("patch");
    expect((await answer("validate", review({ object: patched }))).allowed).toBe(true);
  });

  test("10: a DELETE is never patched", async () => {
    const body = review({ operation: "DELETE", object: null, oldObject: pod() });
    expect(await answer("mutate", body)).not.toHaveProperty("patch");
  });

  test("11: a denial has a code of 400 or more and a message whose first line has at most 120 characters", async () => {
    const stranger = pod({ name: "x" }, { serviceAccountName: `${"very-".repeat(40)}long` });
    const { allowed, status } = await answer("validate", review({ object: stranger }));
    expect([allowed, status?.code, status?.reason]).toEqual([false, 403, "Forbidden"]);
    const [first = ""] = status?.message.split("\n") ?? [];
    expect(first).toMatch(/\[ROLE_NONE\]$/);
    expect(first.length).toBeLessThanOrEqual(120);
  });

  test("11: an allowed answer has no status", async () => {
    expect(await answer("validate", review({ object: stampedPod() }))).not.toHaveProperty("status");
  });

  test("12: warnings have at most 120 characters, none of them a control character", async () => {
    const odd = pod({ labels: { "signet.dev/role": "cart\u0007\n", [`signet.dev/${"long".repeat(40)}`]: "x" } });
    const { warnings = [] } = await answer("mutate", review({ namespace: "free", object: odd }));
    expect(warnings.length).toBeGreaterThan(0);
    for (const warning of warnings) {
      expect(warning.length).toBeLessThanOrEqual(120);
      expect(warning).not.toMatch(/\p{Cc}/u);
    }
  });

  test("13: what is admitted without a word has its name, and role and segment where no labels say them", async () => {
    const spoken = async (webhook: "mutate" | "validate", object: object, rest?: object) =>
      (await answer(webhook, review({ object, ...rest }))).auditAnnotations;
    const id = "spiffe://example.org/ns/shop/sa/cart";
    const whole = { role: "cart", segment: "shop", "spiffe-id": id };
    const template = { metadata: {}, spec: { serviceAccountName: "cart", containers: [] } };
    const deployment = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d" }, spec: { template } };
    const older = pod({ name: "older" });
    const relabelled = pod({ name: "older", labels: { app: "other" } });
    expect([
      await spoken("mutate", pod()),
      await spoken("validate", stampedPod()),
      await spoken("validate", deployment, { kind: { group: "apps", version: "v1", kind: "Deployment" } }),
      await spoken("validate", relabelled, { operation: "UPDATE", oldObject: older }),
    ]).toEqual([{ "spiffe-id": id }, { "spiffe-id": id }, whole, whole]);
  });

  test("13: the keys of audit annotations are plain names", async () => {
    const { auditAnnotations = {} } = await answer("validate", review({ object: pod() }));
    expect(Object.keys(auditAnnotations)).toEqual(["verdict", "role", "segment", "spiffe-id", "problems"]);
    for (const key of Object.keys(auditAnnotations)) expect(key).toMatch(/^[a-z]([-a-z]*[a-z])?$/);
  });

  test("14: an answer waits for nothing but its own body: sixteen at one time are all answered", async () => {
    const all = await Promise.all(
      Array.from({ length: 16 }, (_, each) => answer("mutate", review({ uid: `u${each}` }))),
    );
    expect(all.map(({ uid }) => uid)).toEqual(Array.from({ length: 16 }, (_, each) => `u${each}`));
  });

  test("15: a webhook that runs again on its own result changes nothing", async () => {
    const { operations } = await answer("mutate", review());
    const once = applied(JSON.parse(JSON.stringify(pod())) as Json, operations ?? []);
    expect(await answer("mutate", review({ object: once, uid: "again" }))).not.toHaveProperty("patch");
  });

  test("15: what mutation never saw is refused by validation where the namespace is enrolled", async () => {
    const { allowed, status } = await answer("validate", review({ object: pod() }));
    expect([allowed, status?.message.split("\n")[0]]).toEqual([
      false,
      "The workload was not stamped: mutation did not answer, or was not asked. [STAMP_MISSING]",
    ]);
  });

  test("16: what a match condition would skip is allowed when it comes all the same", async () => {
    const old = stampedPod({ name: "cart-1" });
    const deleting = { ...old, metadata: { ...(old["metadata"] as Json), deletionTimestamp: "2026-11-23T12:00:00Z" } };
    const finalized = stampedPod({
      name: "cart-1",
      finalizers: ["x/y"],
      ownerReferences: [],
      annotations: { ...STAMP.annotations, other: "1" },
    });
    const scaled = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d" },
      spec: { replicas: 3, template: pod() },
    };
    const kind = { group: "apps", version: "v1", kind: "Deployment" };
    const bodies = [
      review({ operation: "UPDATE", object: deleting, oldObject: old }),
      review({ operation: "UPDATE", object: finalized, oldObject: old }),
      review({
        operation: "UPDATE",
        kind,
        object: scaled,
        oldObject: { ...scaled, spec: { ...scaled.spec, replicas: 1 } },
      }),
    ];
    for (const body of bodies) expect((await answer("validate", body)).allowed).toBe(true);
  });

  test("17: as long as there is no catalogue the answer is 503, and the failure policy decides", async () => {
    const { current } = web.services;
    web.services.current = undefined;
    const reply = await post("validate", review());
    web.services.current = current;
    expect([reply.status, reply.type, reply.headers["retry-after"]]).toEqual([503, "application/problem+json", "1"]);
  });

  test("18: labels that a user sets cannot opt out: a Pod without role is refused whatever it carries", async () => {
    const object = pod(
      { labels: { "signet.dev/enrol": "false", "signet.dev/skip": "true" } },
      { serviceAccountName: "nobody" },
    );
    expect((await answer("validate", review({ object }))).allowed).toBe(false);
  });

  test("trap: a stamp changed through pods/status is refused", async () => {
    const object = stampedPod({
      name: "cart-1",
      labels: { app: "cart", ...STAMP.labels, "signet.dev/segment": "bank" },
    });
    const body = review({
      operation: "UPDATE",
      subResource: "status",
      userInfo: { username: "alice" },
      object,
      oldObject: stampedPod({ name: "cart-1" }),
    });
    const { allowed, status } = await answer("validate", body);
    expect([allowed, status?.message.includes("[FORGED]")]).toEqual([false, true]);
  });

  test("trap: an ephemeral container and a resize are judged as changes of the Pod", async () => {
    const old = stampedPod({ name: "cart-1" });
    const debug = { name: "debug", image: "x", securityContext: { privileged: true } };
    const object = stampedPod({ name: "cart-1" }, { ephemeralContainers: [debug] });
    const body = review({ operation: "UPDATE", subResource: "ephemeralcontainers", object, oldObject: old });
    const { allowed, status } = await answer("validate", body);
    expect([allowed, status?.message.includes("[PRIVILEGED]")]).toEqual([false, true]);
  });

  test("trap: the cluster's own namespaces are never refused, not even for what cannot be read", async () => {
    const odd = review({ namespace: "kube-system", object: { ...pod(), spec: { volumes: "none" } } });
    expect((await answer("validate", odd)).allowed).toBe(true);
    expect((await answer("validate", review({ namespace: "kube-system" }))).allowed).toBe(true);
  });

  test("trap: an object that cannot be read is denied in words, with the uid and the path", async () => {
    const odd = review({ object: { ...pod(), spec: { volumes: "none", hostNetwork: "yes" } } });
    const { uid, allowed, status } = await answer("validate", odd);
    expect([uid, allowed, status?.code]).toEqual(["705ab4f5-6393-11e8-b7cc-42010a800002", false, 400]);
    expect(status?.message).toContain("spec.hostNetwork: ");
    expect(status?.message).toContain("[FIELD_INVALID]");
  });

  test("trap: what cannot be read stops nobody where nothing is enrolled, and mutation never refuses", async () => {
    const odd = { object: { ...pod(), spec: { volumes: "none" } } };
    const answers = [
      await answer("mutate", review(odd)),
      await answer("validate", review({ ...odd, namespace: "free" })),
    ];
    expect(answers.map(({ allowed, warnings }) => [allowed, warnings?.[0]?.includes("[FIELD_INVALID]")])).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  test("trap: a CREATE without object and an UPDATE without oldObject are denied, not waved through", async () => {
    const bare = await answer("validate", review({ object: null }));
    const halved = await answer("validate", review({ operation: "UPDATE", object: stampedPod(), oldObject: null }));
    expect([bare.allowed, bare.status?.code, halved.allowed, halved.status?.code]).toEqual([false, 400, false, 400]);
  });

  test("trap: who creates is the caller of the CREATE, and nobody known afterwards", async () => {
    const object = pod({}, { serviceAccountName: "job" });
    const job = "system:serviceaccount:kube-system:job-controller";
    const byJob = await answer("mutate", review({ object, userInfo: { username: job } }));
    const byOther = await answer("mutate", review({ object, userInfo: { username: SA } }));
    expect([byJob, byOther].map((each) => stampIn(each)["signet.dev/role"])).toEqual(["job", undefined]);
  });

  test("trap: the creator of a template is its controller, not whoever applies it", async () => {
    const object = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "j" },
      spec: { template: { metadata: {}, spec: { serviceAccountName: "job", containers: [] } } },
    };
    const body = review({
      kind: { group: "batch", version: "v1", kind: "Job" },
      object,
      userInfo: { username: "alice" },
    });
    expect((await answer("validate", body)).auditAnnotations?.["role"]).toBe("job");
  });

  test("a fault of the verdict is 500 outside and whole in the log", async () => {
    const broken = await startWeb(
      voice,
      {},
      fakeServices({
        now: () => {
          throw new Error("no clock today");
        },
      }),
    );
    const call = broken.request.post("/validate").type("json");
    const reply = await (voice === "https" ? call.ca(broken.authority) : call).send(review({ object: stampedPod() }));
    await broken.stop();
    expect([reply.status, (JSON.parse(reply.text) as { code: string }).code]).toEqual([500, "INTERNAL"]);
    expect(reply.text).not.toContain("clock");
    expect(broken.services.said.find(({ level }) => level === "error")?.sentence).toBe("A review could not be judged.");
  });
});

type Json = { [key: string]: unknown };

/** Applies add, remove and replace strictly, as the API server does: a parent or a key that is missing fails. */
function applied(object: Json, operations: readonly Readonly<Record<string, unknown>>[]): Json {
  for (const { op, path, value } of operations) {
    const steps = String(path)
      .split("/")
      .slice(1)
      .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = steps.pop() ?? "";
    let at: Json = object;
    for (const step of steps) {
      const next = at[step];
      if (typeof next !== "object" || next === null) throw new Error(`no parent at ${String(path)}`);
      at = next as Json;
    }
    if (op !== "add" && !Object.hasOwn(at, last)) throw new Error(`nothing at ${String(path)}`);
    if (op === "remove") delete at[last];
    else at[last] = value;
  }
  return object;
}

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";

const CATALOGUE = "docs/examples/online-boutique";
const MANIFESTS = "test/conformance/data/apps/online-boutique/kubernetes-manifests.yaml";
const INTRUDER = "docs/examples/online-boutique/intruder.yaml";

type View = {
  kind: string;
  name: string;
  verdict: string;
  role: string | null;
  segment: string | null;
  spiffeId: string | null;
  labels: object;
  annotations: object;
  problems: { code: string; message: string }[];
};
type Pod = {
  apiVersion: string;
  kind: string;
  metadata: { name?: string; namespace: string; labels?: object; annotations?: object };
  spec: { serviceAccountName?: string };
};

/** `signet review`, as a user runs it. */
async function review(paths: readonly string[]): Promise<{ code: number; views: View[] }> {
  const args = ["src/bin/cli.ts", "review", ...paths, "--catalogue", CATALOGUE, "--output", "json"];
  const run = promisify(execFile)(process.execPath, args, { maxBuffer: 1e8 });
  const { stdout, code } = await run.then(
    (done) => ({ ...done, code: 0 }),
    (fault: { stdout: string; code: number }) => fault,
  );
  return { code, views: JSON.parse(stdout) as View[] };
}

let state = "";
let server: ChildProcess;
let port = 0;

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), "signet-main-job-"));
  server = spawn(
    process.execPath,
    ["src/bin/cli.ts", "server", "--listen", "127.0.0.1:0", "--state", state, "--catalogue", CATALOGUE],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  port = await new Promise<number>((resolve, reject) => {
    let said = "";
    server.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const found = /https:\/\/127\.0\.0\.1:(\d+)\/mutate/.exec(said);
      if (found) resolve(Number(found[1]));
    });
    server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
}, 20_000);
afterAll(async () => {
  const ended = new Promise((resolve) => server.once("exit", resolve));
  server.kill("SIGTERM");
  await ended;
  rmSync(state, { recursive: true, force: true });
});

type Answer = { allowed: boolean; patch?: string; status?: { message: string }; warnings?: string[] };

/** Asks one of the webhooks over TLS, as the API server would. */
function ask(webhook: "mutate" | "validate", object: Pod): Promise<Answer> {
  const body = JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      namespace: object.metadata.namespace,
      operation: "CREATE",
      userInfo: { username: "system:serviceaccount:kube-system:replicaset-controller", groups: [] },
      object,
    },
  });
  const ca = readFileSync(join(state, "serving", "ca.crt"));
  const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const call = request(
      { host: "127.0.0.1", port, path: `/${webhook}?timeout=2s`, method: "POST", ca, headers },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve((JSON.parse(Buffer.concat(chunks).toString()) as { response: Answer }).response),
        );
      },
    );
    call.once("error", reject);
    call.end(body);
  });
}

/** Applies the two forms of operation that a stamp's patch has. */
function patched(pod: Pod, patch: string | undefined): Pod {
  const copy = structuredClone(pod);
  for (const { path, value } of JSON.parse(Buffer.from(patch ?? "W10=", "base64").toString()) as {
    path: string;
    value: unknown;
  }[]) {
    const [, , map = "", key] = path.split("/");
    const metadata = copy.metadata as unknown as Record<string, Record<string, unknown> | undefined>;
    if (key === undefined) metadata[map] = value as Record<string, unknown>;
    else metadata[map] = { ...metadata[map], [key.replaceAll("~1", "/")]: value };
  }
  return copy;
}

/** The Pods that controllers would make of the application's Deployments. */
const pods: readonly { name: string; pod: Pod }[] = parseAllDocuments(readFileSync(MANIFESTS, "utf8")).flatMap(
  (document) => {
    const object = document.toJS() as { kind: string; metadata: { name: string }; spec: { template: Pod } } | null;
    if (object?.kind !== "Deployment") return [];
    const { metadata, spec } = object.spec.template;
    return [
      {
        name: object.metadata.name,
        pod: { apiVersion: "v1", kind: "Pod", metadata: { ...metadata, namespace: "default" }, spec },
      },
    ];
  },
);

test("Online Boutique, unmodified: every workload gets its role, its segment and its name", async () => {
  const { code, views } = await review([MANIFESTS]);
  expect(code).toBe(0);
  expect(
    views.map(({ kind, name, verdict, role, segment, spiffeId }) => [kind, name, verdict, role, segment, spiffeId]),
  ).toEqual(
    pods.map(({ name, pod }) => [
      "Deployment",
      name,
      "admit",
      name,
      "boutique",
      `spiffe://boutique.example.org/ns/default/sa/${pod.spec.serviceAccountName ?? "default"}`,
    ]),
  );
  expect(pods.length).toBe(12);
});

test("the running server gives the verdicts that the folder gives", async () => {
  const { views } = await review([MANIFESTS]);
  for (const [index, { pod }] of pods.entries()) {
    const view = views[index];
    const stamped = patched(pod, (await ask("mutate", pod)).patch);
    expect([stamped.metadata.labels, stamped.metadata.annotations]).toEqual([
      { ...pod.metadata.labels, ...view?.labels },
      { ...pod.metadata.annotations, ...view?.annotations },
    ]);
    expect(await ask("validate", stamped)).toMatchObject({ allowed: true });
  }
});

test("an intruder is refused in words, by both in the same", async () => {
  const { code, views } = await review([INTRUDER]);
  const [view] = views;
  const pod = parseAllDocuments(readFileSync(INTRUDER, "utf8"))[0]?.toJS() as Pod;
  const stamping = await ask("mutate", pod);
  const answer = await ask("validate", patched(pod, stamping.patch));
  expect([code, view?.verdict, view?.problems.map((each) => each.code)]).toEqual([
    3,
    "deny",
    ["ROLE_NOT_ENTITLED", "ROLE_NONE"],
  ]);
  expect([stamping.allowed, stamping.patch, answer.allowed]).toEqual([true, undefined, false]);
  expect(answer.status?.message.split("\n")[0]).toBe(
    'The label signet.dev/role claims "cartservice", which does not fit this Pod. [ROLE_NOT_ENTITLED]',
  );
});

import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allCrds } from "../../src/wire/crd.ts";
import { KINDS } from "../../src/wire/kinds.ts";
import { accepted } from "../cluster/accepted.ts";
import { bootCluster, type Cluster } from "../cluster/boot.ts";
import { EXAMPLES, type Example, mutated } from "../wire/examples.ts";
import { REFUSALS } from "../wire/refusals.ts";

/** The first run on a machine may have to build the binaries. */
const FIRST_BOOT_MS = 20 * 60_000;
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await bootCluster({ components: [], audit: "off" });
  for (const crd of allCrds()) await accepted(cluster, "POST", CRDS, { body: crd });
  await accepted(cluster, "POST", "/api/v1/namespaces", { body: { metadata: { name: "payments" } } });
  for (const crd of allCrds()) await established(crd.metadata.name);
}, FIRST_BOOT_MS);

afterAll(() => cluster.stop(), 60_000);

async function established(name: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const { body } = await cluster.request("GET", `${CRDS}/${name}`);
    const { conditions = [] } = (body as { status?: { conditions?: { type: string; status: string }[] } }).status ?? {};
    const bad = conditions.find(({ type, status }) => type === "NonStructuralSchema" && status === "True");
    expect(bad, name).toBeUndefined();
    if (conditions.some(({ type, status }) => type === "Established" && status === "True")) return;
    await setTimeout(100);
  }
  throw new Error(`${name} was not established in ten seconds`);
}

function pathOf(object: Example): string {
  const plural = KINDS.find(({ kind }) => kind === object.kind)?.plural ?? "";
  const namespace = object.metadata.namespace === undefined ? "" : `namespaces/${object.metadata.namespace}/`;
  return `/apis/signet.dev/v1alpha1/${namespace}${plural}`;
}

const create = (object: Example, query = "?fieldValidation=Strict") =>
  cluster.request("POST", `${pathOf(object)}${query}`, { body: object });

const dryRun = "?fieldValidation=Strict&dryRun=All";

describe("objects", () => {
  test.each(Object.values(EXAMPLES))("a valid $kind is accepted", async (example) => {
    expect(await create(example, dryRun)).toMatchObject({ status: 201, body: { spec: example.spec } });
  });

  test.each(REFUSALS)("$kind: $what is refused, in words", async ({ kind, path, value, server }) => {
    const answer = await create(mutated(kind, path, value), dryRun);
    expect((answer.body as { message: string }).message).toContain(server);
    expect([400, 422]).toContain(answer.status);
  });

  test("a name that is no label's value is refused for kinds that are stamped", async () => {
    const metadata = { name: "a".repeat(64) };
    const answers = await Promise.all([
      create({ ...EXAMPLES.Segment, metadata }, dryRun),
      create({ ...EXAMPLES.WorkloadRole, metadata }, dryRun),
      create({ ...EXAMPLES.Guardrail, metadata }, dryRun),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([422, 422, 201]);
    expect(answers[0]?.body).toHaveProperty(
      "message",
      expect.stringContaining("metadata.name is stamped as a label's value: at most 63 characters"),
    );
  });
});

describe("changes", () => {
  const replace = async (object: Example, spec: Example["spec"]) => {
    const made = await create(object);
    const { metadata } = made.body as Example;
    return cluster.request("PUT", `${pathOf(object)}/${object.metadata.name}`, { body: { ...object, metadata, spec } });
  };

  test("the domain of a trust domain cannot change, all else can", async () => {
    const example = EXAMPLES.TrustDomain;
    const answer = await replace(example, { ...example.spec, domain: "other.example.org" });
    expect((answer.body as { message: string }).message).toContain(
      "domain is part of every identity and cannot change",
    );
    const { body } = await cluster.request("GET", `${pathOf(example)}/local`);
    const { metadata } = body as Example;
    const leaf = { maxTTL: "2h", keyType: "ECDSAP384" };
    const changed = { ...example, metadata, spec: { ...example.spec, leaf } };
    expect(await cluster.request("PUT", `${pathOf(example)}/local`, { body: changed })).toMatchObject({ status: 200 });
  });

  test("a Restriction cannot be changed", async () => {
    const example = EXAMPLES.Restriction;
    const answer = await replace(example, { ...example.spec, reason: "it scanned" });
    expect((answer.body as { message: string }).message).toContain(
      "a Restriction cannot be changed; lift it and make another",
    );
  });
});

describe("kubectl", () => {
  test("an unquoted `on`, which YAML 1.1 reads as true, is taken for what it is", async () => {
    const text = `
apiVersion: signet.dev/v1alpha1
kind: SegmentPolicy
metadata: {namespace: payments, name: unquoted}
spec:
  segment: payments
  allow:
  - from: {role: a}
    to: {role: b}
    on: [tcp/1]
`;
    expect(await cluster.kubectl(["create", "-f", "-"], { stdin: text })).toMatchObject({ code: 0, stderr: "" });
  });

  test("a bare status takes appended approvals", async () => {
    await create(EXAMPLES.Segment);
    const value = { generation: 1, by: "ann" };
    const patch = JSON.stringify([{ op: "add", path: "/status/approvals/-", value }]);
    const args = ["patch", "segment", "payments", "--subresource=status", "--type=json", "-p", patch];
    expect(await cluster.kubectl(args)).toMatchObject({ code: 0 });
  });

  test("an approved generation is kept whole in status, in every kind that is approved", async () => {
    for (const example of Object.values(EXAMPLES).filter(({ kind }) => kind !== "Segment")) {
      const name = `kept-${example.kind.toLowerCase()}`;
      const object = { ...example, metadata: { ...example.metadata, name } };
      const made = await create(object);
      const approved = { generation: 1, spec: example.spec, by: ["ann"], at: "2026-12-01T00:00:00Z" };
      const body = { ...(made.body as object), status: { approvals: [{ generation: 1, by: "ann" }], approved } };
      const answer = await cluster.request("PUT", `${pathOf(object)}/${name}/status?fieldValidation=Strict`, { body });
      expect(answer, example.kind).toMatchObject({ status: 200, body: { status: { approved } } });
    }
  });

  test("`kubectl get signet` shows every kind, and every field is explained", async () => {
    const shown = await cluster.kubectl(["get", "signet", "-A", "-o", "name"]);
    expect(
      new Set(
        shown.stdout
          .trim()
          .split("\n")
          .map((line) => line.split(".")[0]),
      ),
    ).toEqual(new Set(Object.values(EXAMPLES).map(({ kind }) => kind.toLowerCase())));
    for (const { plural, shortNames } of KINDS) {
      const explained = await cluster.kubectl(["explain", `${plural}.spec`, "--recursive"]);
      expect(explained, plural).toMatchObject({ code: 0 });
      for (const name of shortNames)
        expect((await cluster.kubectl(["get", name, "-A"])).code, `short name ${name}`).toBe(0);
    }
    const exceptions = await cluster.kubectl(["get", "segex", "-A", "-o", "wide"]);
    expect(exceptions.stdout.split("\n")[0]?.split(/\s{2,}/)).toEqual([
      "NAMESPACE",
      "NAME",
      "ROLE",
      "CHECK",
      "EXPIRES",
      "APPROVED",
      "READY",
      "REASON",
      "AGE",
    ]);
  });
});

import { expect, test } from "vitest";
import { denialMessage, warningsOf } from "../../src/admission/denial.ts";
import { type GateRequest, mutate, validate } from "../../src/admission/gate.ts";
import { SIGNET_ACCOUNT } from "../../src/domain/exempt-namespaces.ts";
import { metadataPresence } from "../../src/wire/presence.ts";
import { readWorkload } from "../../src/wire/workloads.ts";
import { catalogueOf, must, NOON, objectsOf } from "../fakes/judging.ts";

const CATALOGUE = catalogueOf(`
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: web, labels: {signet.dev/enrol: "true"}}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: shop}, spec: {namespaces: [web, free], mode: enforce}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: front}, spec: {segment: shop, match: {serviceAccounts: [front], podLabels: {matchExpressions: [{key: app, operator: NotIn, values: [cart]}]}}}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: cart}, spec: {segment: shop, match: {serviceAccounts: [front], podLabels: {matchLabels: {app: cart}}}}}
`);

const STAMP_LABELS = "signet.dev/role: front, signet.dev/segment: shop";
const STAMP_ANNOTATIONS = `signet.dev/spiffe-id: "spiffe://example.org/ns/web/sa/front", signet.dev/stamp: '{"role":{"name":"front"},"segment":{"name":"shop"}}'`;

type Given = { namespace?: string; account?: string; labels?: string; annotations?: string; spec?: string };
const podYaml = ({ namespace = "web", account = "front", labels = "", annotations = "", spec = "" }: Given): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ${namespace}, labels: {${labels}}, annotations: {${annotations}}}, spec: {serviceAccountName: ${account}, ${spec}}}`;

function request(given: Given | string, more: Partial<GateRequest> & { old?: Given } = {}): GateRequest {
  const read = (yaml: string) => {
    const [object] = objectsOf(yaml);
    if (!object) throw new Error("no object in the text");
    const workload = must(readWorkload(object, { namespace: object.namespace, creator: "alice" }));
    if (!workload) throw new Error("no workload in the text");
    return { workload, presence: metadataPresence(object.raw) };
  };
  const { old, ...rest } = more;
  return {
    uid: "u1",
    operation: old ? "UPDATE" : "CREATE",
    subResource: "",
    dryRun: false,
    user: { username: "alice", groups: [] },
    deleting: false,
    relevantChange: true,
    ...read(typeof given === "string" ? given : podYaml(given)),
    ...(old ? { oldWorkload: read(podYaml(old)).workload } : {}),
    ...rest,
  };
}

const validated = (each: GateRequest) => {
  const { allowed, verdict } = validate(CATALOGUE, each, { now: NOON });
  return [allowed, ...(verdict?.problems.map(({ code, path }) => `${code} ${path}`) ?? [])];
};

const stamped: Given = { labels: STAMP_LABELS, annotations: STAMP_ANNOTATIONS };

test("mutation stamps a Pod without labels in one operation a map", () => {
  const bare = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: web}, spec: {serviceAccountName: front}}";
  expect(mutate(CATALOGUE, request(bare), { now: NOON }).patch).toEqual([
    { op: "add", path: "/metadata/labels", value: { "signet.dev/role": "front", "signet.dev/segment": "shop" } },
    {
      op: "add",
      path: "/metadata/annotations",
      value: {
        "signet.dev/spiffe-id": "spiffe://example.org/ns/web/sa/front",
        "signet.dev/stamp": '{"role":{"name":"front"},"segment":{"name":"shop"}}',
      },
    },
  ]);
});

test("mutation of what it has stamped does nothing", () => {
  expect(mutate(CATALOGUE, request(stamped), { now: NOON }).patch).toEqual([]);
});

test("mutation leaves what must be refused as it came", () => {
  const answer = mutate(CATALOGUE, request({ account: "stranger", labels: "signet.dev/role: front" }), { now: NOON });
  expect([answer.allowed, answer.patch]).toEqual([true, []]);
});

test("what a check refuses is stamped all the same, so that validation says only what is wrong", () => {
  const answer = mutate(CATALOGUE, request({ spec: "hostPID: true" }), { now: NOON });
  expect([answer.verdict?.decision, answer.patch.length]).toEqual(["deny", 4]);
  expect(validated(request({ ...stamped, spec: "hostPID: true" }))).toEqual([false, "HOST_PID spec.hostPID"]);
});

test("a claim that mutation left as it came is refused for the claim alone", () => {
  expect(validated(request({ labels: "signet.dev/role: cart" }))).toEqual([
    false,
    "ROLE_NOT_ENTITLED metadata.labels.signet.dev/role",
  ]);
});

test("mutation takes a stamp away from a Pod without a role where its namespace is not enrolled", () => {
  const answer = mutate(CATALOGUE, request({ namespace: "other", labels: STAMP_LABELS }), { now: NOON });
  expect(answer.patch).toEqual([
    { op: "remove", path: "/metadata/labels/signet.dev~1role" },
    { op: "remove", path: "/metadata/labels/signet.dev~1segment" },
  ]);
});

test("whoever writes the label of a quarantine into a new Pod is told that it was taken away", () => {
  const labels = `${STAMP_LABELS}, signet.dev/quarantine: "true"`;
  const { patch, verdict } = mutate(CATALOGUE, request({ ...stamped, labels }), { now: NOON });
  expect([patch, verdict?.problems.map(({ code, path }) => `${code} ${path}`)]).toEqual([
    [{ op: "remove", path: "/metadata/labels/signet.dev~1quarantine" }],
    ["STAMP_OVERWRITTEN metadata.labels.signet.dev/quarantine"],
  ]);
});

const ROWS: readonly { name: string; request: GateRequest; expected: readonly unknown[] }[] = [
  { name: "a stamped Pod passes", request: request(stamped), expected: [true] },
  {
    name: "an unstamped Pod of an enrolled namespace is refused: mutation did not answer",
    request: request({}),
    expected: [false, "STAMP_MISSING metadata"],
  },
  {
    name: "an unstamped Pod elsewhere passes with a warning",
    request: request({ namespace: "free" }),
    expected: [true, "STAMP_MISSING metadata"],
  },
  {
    name: "a wrong segment is forged",
    request: request({ ...stamped, labels: "signet.dev/role: front, signet.dev/segment: payments" }),
    expected: [false, "FORGED metadata.labels.signet.dev/segment"],
  },
  {
    name: "a stamp on a Pod without a role is forged, enrolled or not",
    request: request({ namespace: "other", annotations: "signet.dev/spiffe-id: x" }),
    expected: [false, "FORGED metadata.annotations.signet.dev/spiffe-id", "ROLE_NONE spec.serviceAccountName"],
  },
  {
    name: "a claimed role is refused as what it is",
    request: request({ ...stamped, labels: "signet.dev/role: cart, signet.dev/segment: shop" }),
    expected: [false, "ROLE_NOT_ENTITLED metadata.labels.signet.dev/role"],
  },
  {
    name: "a deletion in progress is never refused",
    request: request({ account: "stranger" }, { deleting: true }),
    expected: [true],
  },
  {
    name: "DELETE is never refused",
    request: request({ account: "stranger" }, { operation: "DELETE" }),
    expected: [true],
  },
  {
    name: "an UPDATE without a relevant change is never refused",
    request: request({ account: "stranger" }, { old: { account: "stranger" }, relevantChange: false }),
    expected: [true],
  },
  {
    name: "an UPDATE that takes the stamp away is refused",
    request: request({ annotations: STAMP_ANNOTATIONS }, { old: stamped }),
    expected: [false, "FORGED metadata.labels.signet.dev/role", "FORGED metadata.labels.signet.dev/segment"],
  },
  {
    name: "a new Pod that is marked as under quarantine is forged",
    request: request({ ...stamped, labels: `${STAMP_LABELS}, signet.dev/quarantine: "true"` }),
    expected: [false, "FORGED metadata.labels.signet.dev/quarantine"],
  },
  {
    name: "so is one that its author marks while it runs",
    request: request({ ...stamped, labels: `${STAMP_LABELS}, signet.dev/quarantine: "true"` }, { old: stamped }),
    expected: [false, "FORGED metadata.labels.signet.dev/quarantine"],
  },
  {
    name: "and one that he lets out",
    request: request(stamped, { old: { ...stamped, labels: `${STAMP_LABELS}, signet.dev/quarantine: "true"` } }),
    expected: [false, "FORGED metadata.labels.signet.dev/quarantine"],
  },
  {
    name: "whereas what else is written on one that Signet marked is nobody's business",
    request: request(
      { ...stamped, labels: `${STAMP_LABELS}, signet.dev/quarantine: "true", note: x` },
      { old: { ...stamped, labels: `${STAMP_LABELS}, signet.dev/quarantine: "true"` } },
    ),
    expected: [true],
  },
  {
    name: "but Signet itself may",
    request: request(
      { annotations: STAMP_ANNOTATIONS },
      { old: stamped, user: { username: SIGNET_ACCOUNT, groups: [] } },
    ),
    expected: [true],
  },
  {
    name: "labels that would lead a running Pod to another role are refused",
    request: request({ ...stamped, labels: `${STAMP_LABELS}, app: cart` }, { old: stamped }),
    expected: [false, "ROLE_CHANGED metadata.labels"],
  },
  {
    name: "a stamp from before its role was edited keeps nobody from labelling a running Pod",
    request: request(
      { ...stamped, labels: "signet.dev/role: gone, signet.dev/segment: shop, note: x" },
      { old: { ...stamped, labels: "signet.dev/role: gone, signet.dev/segment: shop" } },
    ),
    expected: [true],
  },
  {
    name: "an ephemeral container that is privileged is refused",
    request: request(
      { ...stamped, spec: "ephemeralContainers: [{name: d, securityContext: {privileged: true}}]" },
      { old: stamped, subResource: "ephemeralcontainers" },
    ),
    expected: [false, "PRIVILEGED spec.ephemeralContainers[0].securityContext.privileged"],
  },
];

for (const row of ROWS) test(row.name, () => expect(validated(row.request)).toEqual(row.expected));

test("whatever mutation stamps, validation lets in", () => {
  const yaml = podYaml({ spec: "containers: [{name: c}]" });
  const answer = mutate(CATALOGUE, request(yaml), { now: NOON });
  expect(answer.patch.length).toBe(4);
  expect(validated(request(podYaml({ ...stamped, spec: "containers: [{name: c}]" })))).toEqual([true]);
});

test("a denial says what and what to do, the first line in at most 120 characters", () => {
  const account = "a".repeat(200);
  const { verdict } = validate(CATALOGUE, request({ account }), { now: NOON });
  if (!verdict) throw new Error("nothing was judged");
  const lines = denialMessage(verdict).split("\n");
  expect(lines).toEqual([
    `No role fits account web/${"a".repeat(82)}… [ROLE_NONE]`,
    "  Roles in web name the accounts front; run it under one of these, or write a role.",
  ]);
  expect(lines[0]?.length).toBe(120);
});

test("a warning is one line of at most 120 characters without control characters", () => {
  const { verdict } = validate(
    CATALOGUE,
    request({ namespace: "free", annotations: '"signet.dev/use-role": "x\\n\\u0007y"' }),
    { now: NOON },
  );
  if (!verdict) throw new Error("nothing was judged");
  expect(warningsOf(verdict).map((line) => [line.length <= 120, /\p{Cc}/u.test(line)])).toEqual(
    warningsOf(verdict).map(() => [true, false]),
  );
});

test("of many findings thirty-two are told, and how many more there are", () => {
  const volumes = Array.from({ length: 40 }, (_, index) => `{name: v, hostPath: {path: /srv/${index}}}`).join(", ");
  const spec = `volumes: [${volumes}]`;
  const told = (given: Given) => {
    const { verdict } = validate(CATALOGUE, request(given), { now: NOON });
    if (!verdict) throw new Error("nothing was judged");
    return { denial: denialMessage(verdict).split("\n"), warnings: warningsOf(verdict) };
  };
  const { denial } = told({ ...stamped, spec });
  expect([denial.length, denial.at(-1)]).toEqual([2 * 32 + 1, "And 8 more refusals."]);
  // There the missing stamp is one too.
  const { warnings } = told({ namespace: "free", spec });
  expect([warnings.length, warnings.at(-1)]).toEqual([32 + 1, "And 9 more findings."]);
  expect(told({ ...stamped, spec: "hostNetwork: true" }).denial.length).toBe(2);
});

import { beforeEach, describe, expect, test } from "vitest";
import { ApprovalStore } from "../fakes/approval-store.ts";
import { NOON } from "../fakes/judging.ts";
import { openAs } from "../fakes/kube-access.ts";
import { signet } from "./approving.ts";

const CATALOGUE = `
{apiVersion: signet.dev/v1alpha1, kind: TrustDomain, metadata: {name: local}, spec: {domain: example.org}}
---
{apiVersion: signet.dev/v1alpha1, kind: Segment, metadata: {name: payments}, spec: {classification: pci, namespaces: [payments]}}
---
{apiVersion: signet.dev/v1alpha1, kind: WorkloadRole, metadata: {name: orders-db}, spec: {segment: payments, match: {}}}
`;
const DAY_MS = 86_400_000;

let store: ApprovalStore;
const as = (user: string, line: string | readonly string[]) => signet(openAs(store, user), line);
const request = (...more: readonly string[]) =>
  as("ann", [
    ..."exceptions request import -n payments --role orders-db --reason".split(" "),
    "the old importer",
    ...(more.length > 0 ? more : ["--permit", "hostPath:/srv/import", "--for", "14d"]),
  ]);
const approve = (user: string) => as(user, "exceptions approve import -n payments");
const state = async () => {
  const { out } = await as("ann", "exceptions list -o json");
  return (JSON.parse(out) as { state: string; expires: string; requestedBy: string[] }[])[0];
};
const granted = async () => {
  await request();
  for (const user of ["bert", "carla"]) await approve(user);
  store.reconcile(NOON);
};

beforeEach(() => {
  store = new ApprovalStore();
  store.apply("installer", CATALOGUE);
  store.reconcile(NOON);
  for (const [kind, name] of [
    ["Segment", "payments"],
    ["WorkloadRole", "orders-db"],
  ] as const)
    store.approve("bert", kind, name);
  store.reconcile(NOON);
});

test("a request is written, grants nothing, and says who is needed", async () => {
  expect(await request()).toEqual({
    code: 0,
    out:
      "Requested: payments/import permits hostPath:/srv/import for role orders-db, for 14d.\n" +
      "It counts for nothing until somebody else approves it: signet exceptions approve import -n payments\nIt needs one person more: it lets a workload out to its host.\n" +
      "Workloads point to it: metadata.annotations: {signet.dev/exception: import}\n",
    err: "",
  });
  expect(store.get("SegmentException", "import").spec).toEqual({
    permit: { check: "hostPath", path: "/srv/import" },
    workloads: { role: "orders-db" },
    reason: "the old importer",
    expires: "2026-12-07T12:00:00Z",
  });
  expect((await state())?.state).toBe("unapproved");
});

test("it is granted by two others than who asked, and the list says so", async () => {
  await request();
  expect(await approve("ann")).toMatchObject({ code: 3, err: /edited generation 1 yourself/ });
  await approve("bert");
  store.reconcile(NOON);
  expect((await state())?.state).toBe("unapproved");
  await approve("carla");
  store.reconcile(NOON);
  expect((await as("ann", "exceptions list")).out.split("\n").slice(0, 2)).toEqual(
    [
      "NAMESPACE  NAME    PERMITS               ROLE       STATE   LEFT  REQUESTED BY  APPROVAL                      TICKET",
      "payments   import  hostPath:/srv/import  orders-db  active  14d   ann           generation 1 by bert, carla  -",
    ].map((line) => expect.stringMatching(new RegExp(`^${line.replaceAll(/\s+/g, "\\s+").replaceAll("/", "\\/")}$`))),
  );
});

test("an extension waits for somebody else, and the old end counts meanwhile", async () => {
  await granted();
  const { out } = await as("ann", "exceptions extend import -n payments --for 21d");
  expect(out.split("\n")[0]).toBe(
    "Asked for until 2026-12-14T12:00:00Z. Somebody else approves it: signet exceptions approve import -n payments",
  );
  store.reconcile(NOON);
  expect(await state()).toMatchObject({ state: "active", expires: "2026-12-07T12:00:00Z" });
  for (const user of ["bert", "carla"]) await approve(user);
  store.reconcile(NOON);
  expect(await state()).toMatchObject({ state: "active", expires: "2026-12-14T12:00:00Z" });
});

test("an extension that is denied leaves what was approved before in force", async () => {
  await granted();
  await as("ann", "exceptions extend import -n payments --for 21d");
  expect(await as("bert", "exceptions deny import -n payments --reason enough")).toMatchObject({
    code: 0,
    out: /Denied by bert. It stays out of force until somebody approves it after all, or edits it./,
  });
  await approve("carla");
  store.reconcile(NOON);
  expect(await state()).toMatchObject({ state: "active", expires: "2026-12-07T12:00:00Z" });
  const approvedNow = store.get("SegmentException", "import").status.conditions[0];
  expect(approvedNow).toMatchObject({ type: "Approved", status: "False", reason: "WaitingForApproval" });
});

test("a request that is denied says by whom and why", async () => {
  await request();
  await as("bert", "exceptions deny import -n payments --reason SHOP-9");
  store.reconcile(NOON);
  expect(store.get("SegmentException", "import").status.conditions[0]).toMatchObject({
    reason: "Denied",
    message: "Generation 1 was denied by bert: SHOP-9",
  });
  expect(await as("bert", "exceptions deny import -n payments --reason again")).toMatchObject({
    code: 0,
    out: /It is denied or withdrawn already./,
  });
});

test("ending takes it out of force, and an editor may", async () => {
  await granted();
  expect((await as("ann", "exceptions end import -n payments")).code).toBe(0);
  store.reconcile(NOON);
  expect((await state())?.state).toBe("unapproved");
});

test("what is in force is not denied but ended", async () => {
  await granted();
  expect(await as("bert", "exceptions deny import -n payments --reason late")).toMatchObject({
    code: 3,
    err: /Generation 1 is in force already. \[APPROVAL_STALE\]/,
  });
});

test("an approval counts for nothing while the exception is longer than its class allows", async () => {
  store.apply(
    "ann",
    JSON.stringify({
      apiVersion: "signet.dev/v1alpha1",
      kind: "SegmentException",
      metadata: { name: "import", namespace: "payments" },
      spec: {
        permit: { check: "hostPID" },
        workloads: { role: "orders-db" },
        reason: "r",
        expires: new Date(NOON + 32 * DAY_MS).toISOString(),
      },
    }),
  );
  for (const user of ["bert", "carla"]) await approve(user);
  store.reconcile(NOON);
  expect(store.get("SegmentException", "import").status.conditions[0]).toMatchObject({
    reason: "TooLong",
    message: "It ends at 2026-12-25T12:00:00Z; its class allows 2026-12-24T12:00:00Z at the latest.",
  });
  store.reconcile(NOON + DAY_MS);
  expect((await state())?.state).toBe("active");
});

test("--print writes nothing, and prints what a pull request holds", async () => {
  const { out } = await request(
    "--permit",
    "hostPID",
    "--expires",
    "2026-12-01T00:00:00Z",
    "--ticket",
    "SHOP-1",
    "--print",
  );
  expect(out).toBe(`apiVersion: signet.dev/v1alpha1
kind: SegmentException
metadata:
  namespace: payments
  name: import
spec:
  permit:
    check: hostPID
  workloads:
    role: orders-db
  reason: the old importer
  ticket: SHOP-1
  expires: "2026-12-01T00:00:00Z"
`);
  expect(store.all("SegmentException")).toEqual([]);
});

const REFUSED: readonly (readonly [string, readonly string[], number, string])[] = [
  ["without an end", ["--permit", "hostPID"], 2, "--expires: An exception has an end. [USAGE]"],
  ["without a permit", ["--for", "3d"], 2, "--permit: An exception permits one thing. [USAGE]"],
  ["for no span", ["--permit", "hostPID", "--for", "soon"], 2, '--for: "soon" is not a duration. [FIELD_INVALID]'],
  [
    "longer than its class allows",
    ["--permit", "hostPID", "--for", "32d"],
    3,
    "--expires: It ends at 2026-12-25T12:00:00Z; its class allows 2026-12-24T12:00:00Z at the latest. [EXCEPTION_TOO_LONG]",
  ],
  [
    "longer than one end of its connection allows",
    ["--sentence", "cidr:10.0.0.0/8 -> segment:payments on tcp/1", "--for", "40d"],
    3,
    "--expires: It ends at 2027-01-02T12:00:00Z; its class allows 2026-12-24T12:00:00Z at the latest. [EXCEPTION_TOO_LONG]",
  ],
  [
    "of a sentence that is none",
    ["--sentence", "everything", "--for", "1d"],
    2,
    '--sentence: "everything" is no sentence. [USAGE]',
  ],
];

describe("a request is refused", () => {
  test.each(REFUSED)("%s", async (_name, more, code, err) => {
    const ran = await request(...more);
    expect([ran.code, ran.err.split("\n")[0], store.all("SegmentException")]).toEqual([code, `signet: ${err}`, []]);
  });

  test("for a role that is not in force", async () => {
    const ran = await as("ann", "exceptions request x -n payments --role ghost --permit hostPID --for 1d --reason r");
    expect([ran.code, ran.err.split("\n")[0]]).toEqual([
      3,
      "signet: --role: There is no role ghost in force. [NOT_FOUND]",
    ]);
  });

  test("an extension that would end earlier", async () => {
    await granted();
    const ran = await as("ann", "exceptions extend import -n payments --for 1d");
    expect([ran.code, ran.err.split("\n")[0]]).toEqual([
      2,
      "signet: --expires: It ends at 2026-12-07T12:00:00Z already. [USAGE]",
    ]);
  });
});

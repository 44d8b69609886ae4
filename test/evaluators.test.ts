import { expect, test } from "vitest";
import { seePod } from "../src/bin/cluster/pods/see-pod.ts";
import type { PatchOperation } from "../src/domain/json-patch.ts";
import { makeCatalogue } from "../src/domain/catalogue.ts";
import { type SignedGrants, withGrants } from "../src/domain/grants.ts";
import { refuse } from "../src/domain/problem.ts";
import { formatInstant } from "../src/domain/instant.ts";
import { answerReview } from "../src/http/answer-review.ts";
import { makeKeys, sign, verify } from "../src/bin/grant-keeper.ts";
import { readGrants, renderGrant } from "../src/wire/grant.ts";
import { namespaceReport } from "../src/reconcile/scan/report.ts";
import { Scan } from "../src/reconcile/scan/scan.ts";
import { scanPod } from "../src/reconcile/scan/scan-pod.ts";
import { fakeIo } from "./fakes/io.ts";
import { addReportCommand } from "../src/cli/report.ts";
import { runCli } from "../src/cli/program.ts";
import { addReviewCommand } from "../src/cli/review.ts";
import { applyPatch } from "./fakes/json-patch.ts";
import { catalogueOf, must, objectsOf } from "./fakes/judging.ts";
import { fakeServices } from "./fakes/web.ts";

/** One case is an exception and what a Pod does beside pointing to it. */
type Case = {
  readonly name: string;
  readonly exception: string;
  readonly approved?: boolean;
  readonly pod?: string;
  /** A signed grant of it. */
  readonly signed?: { readonly uid?: string; readonly workload?: string };
  /** Only signatures grant. */
  readonly only?: true;
};

const BEGINS = Date.parse("2026-12-01T00:00:00Z");
const ENDS = Date.parse("2026-12-20T00:00:00Z");
const WINDOW = "notBefore: '2026-12-01T00:00:00Z', expires: '2026-12-20T00:00:00Z'";
const permits = (permit: string, role = "db", window = WINDOW) =>
  `permit: {${permit}}, workloads: {role: ${role}}, reason: r, ${window}`;

const CASES: readonly Case[] = [
  { name: "permits it", exception: permits("check: hostPID") },
  { name: "is not approved", exception: permits("check: hostPID"), approved: false },
  { name: "is for another role", exception: permits("check: hostPID", "web") },
  { name: "is for another check", exception: permits("check: hostIPC") },
  { name: "permits one of two", exception: permits("check: hostPID"), pod: "hostNetwork: true" },
  { name: "is for a path", exception: permits("check: hostPath, path: /srv") },
  { name: "is for a connection", exception: permits("sentence: {from: {role: web}, to: {role: db}, on: [tcp/1]}") },
  { name: "lasts years", exception: permits("check: hostPID", "db", "expires: '2030-01-01T00:00:00Z'") },
  {
    name: "lasted too long until lately",
    exception: permits("check: hostPID", "db", "expires: '2027-01-05T00:00:00Z'"),
  },
  { name: "is signed", exception: permits("check: hostPID"), approved: false, signed: {} },
  { name: "is signed for another check", exception: permits("check: hostIPC"), approved: false, signed: {} },
  { name: "is signed for this Pod", exception: permits("check: hostPID"), approved: false, signed: { workload: "p" } },
  { name: "is signed for another", exception: permits("check: hostPID"), approved: false, signed: { workload: "q" } },
  { name: "is signed for another UID", exception: permits("check: hostPID"), approved: false, signed: { uid: "u-2" } },
  { name: "is approved where only signatures grant", exception: permits("check: hostPID"), only: true },
  { name: "is signed where only signatures grant", exception: permits("check: hostPID"), only: true, signed: {} },
];

const INSTANTS = [BEGINS - 1, BEGINS, ENDS - 1000, ENDS, ENDS + 86_400_000].map((at) => Math.floor(at / 1000) * 1000);

const definition = (kind: string, name: string, spec: string, approved: boolean | undefined, where = "") => {
  const status =
    approved === undefined
      ? ""
      : `, status: {approvals: []${approved ? `, approved: {generation: 1, by: [bob], at: "2026-11-01T00:00:00Z", spec: {${spec}}}` : ""}}`;
  return `{apiVersion: signet.dev/v1alpha1, kind: ${kind}, metadata: {name: ${name}${where}}, spec: {${spec}}${status}}`;
};

const catalogueText = ({ exception, approved }: Case, mode: string, checked: boolean): string =>
  [
    '{apiVersion: v1, kind: Namespace, metadata: {name: pay, uid: u-1, labels: {signet.dev/enrol: "true"}}}',
    definition("Segment", "pay", `classification: pci, namespaces: [pay], mode: ${mode}`, checked || undefined),
    definition("WorkloadRole", "db", "segment: pay, match: {serviceAccounts: [db]}", checked || undefined),
    definition("WorkloadRole", "web", "segment: pay, match: {serviceAccounts: [web]}", checked || undefined),
    definition("SegmentException", "import", exception, checked ? (approved ?? true) : undefined, ", namespace: pay"),
  ].join("\n---\n");

const podText = ({ pod = "" }: Case): string =>
  `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: pay, uid: u1, annotations: {signet.dev/exception: import}}, spec: {serviceAccountName: db, hostPID: true${pod === "" ? "" : `, ${pod}`}, containers: [{name: main, image: example.org/x}]}, status: {phase: Running}}`;

/** What an evaluator says: whether it refuses, and the codes it names; what mutation mends is left aside. */
type Said = { readonly refused: boolean; readonly codes: readonly string[] };
const said = (refused: boolean, codes: readonly string[]): Said => ({
  refused,
  codes: [...new Set(codes)].filter((code) => !MENDED.has(code)).sort(),
});
const MENDED: ReadonlySet<string> = new Set(["STAMP_MISSING", "STAMP_OVERWRITTEN"]);

type World = {
  readonly catalogue: string;
  readonly pod: string;
  readonly now: number;
  readonly grants: SignedGrants;
  /** What the command line is told of grants, and the files that it names. */
  readonly flags: string;
  readonly files: Readonly<Record<string, string>>;
};

const keys = await makeKeys();

/** The world of one case: its grant is signed by a real key, and verified again by each who is told of it. */
async function worldOf(one: Case, mode: string, checked: boolean, now: number): Promise<World> {
  const catalogue = catalogueText(one, mode, checked);
  const flags = `${one.only ? " --require-signed-grants" : ""}${one.signed ? " --grants g.jws --grant-keys keys" : ""}`;
  const bare = { catalogue, pod: podText(one), now, flags, files: {} };
  if (!one.signed) return { ...bare, grants: { exceptions: [], only: one.only === true } };
  const { uid = "u-1", workload } = one.signed;
  const [exception] = catalogueOf(catalogue).definitions.exceptions;
  const object = objectsOf(catalogue).find(({ kind }) => kind === "SegmentException");
  if (!exception || !object) throw new Error("there is an exception");
  const claims = {
    namespaceUid: uid,
    ...(workload === undefined ? {} : { workload: { kind: "Pod", name: workload } }),
  };
  const jws = must(await sign(keys.privateKey, renderGrant(exception, object.raw["spec"], claims, SIGNED)));
  const { payload, signer } = must(await verify(jws, keys.publicKeys));
  const { set } = readGrants([{ file: "g.jws", payload, signer }], one.only === true);
  return { ...bare, grants: set, files: { "g.jws": jws, keys: keys.publicKeys } };
}

const SIGNED = Date.parse("2026-11-20T00:00:00Z");

/** The catalogue as a server makes it: with what is granted by signature. */
const servedOf = ({ catalogue, grants }: World) => {
  const { definitions, revision } = catalogueOf(catalogue);
  return makeCatalogue(withGrants(definitions, grants), revision);
};

/** The API server's way: mutation first, then validation of what mutation made of it. */
async function byWebhook(world: World): Promise<Said> {
  const { pod, now } = world;
  const services = fakeServices({ now: () => now });
  const ask = async (webhook: "mutate" | "validate", object: unknown) => {
    const request = { ...REQUEST, object };
    const body = JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
    const answered = must(await answerReview(webhook, body, servedOf(world), services));
    const { response } = JSON.parse(answered.body) as { response: { allowed: boolean; patch?: string } };
    return { ...response, codes: answered.codes };
  };
  const object = objectsOf(pod)[0]?.raw;
  const { patch, allowed, codes } = await ask("mutate", object);
  if (!allowed) return said(true, codes);
  const operations = JSON.parse(Buffer.from(patch ?? "", "base64").toString() || "[]") as PatchOperation[];
  const validated = await ask("validate", applyPatch(object, operations));
  return said(!validated.allowed, validated.codes);
}

const REQUEST = {
  uid: "6c1f0a3e-0000-4000-8000-000000000001",
  operation: "CREATE",
  kind: { group: "", version: "v1", kind: "Pod" },
  resource: { group: "", version: "v1", resource: "pods" },
  namespace: "pay",
  name: "p",
  userInfo: { username: "ann", groups: [] },
};

/** A cluster without KubeVirt. */
const NO_MACHINES = { find: () => undefined, launches: () => false };

function byScan(world: World): { readonly scan: Said; readonly report: Said } {
  const { pod, now } = world;
  const scan = new Scan();
  const raw = objectsOf(pod)[0]?.raw;
  const seen = raw && must(seePod(servedOf(world), raw, { now }, NO_MACHINES));
  if (!seen) throw new Error("the Pod is not seen");
  scanPod(scan, seen.pod);
  const found = scan.of("pay");
  if (!found) throw new Error("nothing was scanned");
  const report = namespaceReport(found).object["results"] as readonly {
    readonly rule: string;
    readonly result: string;
  }[];
  return {
    scan: said(
      found.counts.fail === 1,
      found.groups.map(({ code }) => code),
    ),
    report: said(
      report.some(({ result }) => result === "fail"),
      report.map(({ rule }) => rule),
    ),
  };
}

async function byCommand(line: string, { catalogue, pod, now, flags, files }: World): Promise<unknown> {
  const { io, printed } = fakeIo({ "cat/c.yaml": catalogue, "app.yaml": pod, ...files }, { now: formatInstant(now) });
  const grants = { make: makeKeys, sign, verify, writeKey: () => refuse("USAGE", "", "Nothing is written here.") };
  await runCli({ ...io, grants }, `${line}${flags}`.split(" "), [
    addReviewCommand,
    addReportCommand(() => Promise.reject(new Error("no cluster is asked"))),
  ]);
  expect(printed.err).toBe("");
  return JSON.parse(printed.out);
}

async function byReview(world: World): Promise<Said> {
  const [view] = (await byCommand("review app.yaml -c cat -o json", world)) as {
    verdict: string;
    problems: { code: string }[];
  }[];
  return said(
    view?.verdict === "deny",
    (view?.problems ?? []).map(({ code }) => code),
  );
}

async function byReport(world: World): Promise<Said> {
  const { namespaces } = (await byCommand("report app.yaml -c cat -o json", world)) as {
    namespaces: { workloads: { result: string; findings: { code: string }[] }[] }[];
  };
  const [workload] = namespaces[0]?.workloads ?? [];
  return said(
    workload?.result === "fail",
    (workload?.findings ?? []).map(({ code }) => code),
  );
}

for (const mode of ["enforce", "observe"])
  for (const checked of [true, false])
    test.each(CASES)(
      `webhook, scan, report and commands say the same, ${checked ? "approved" : "unchecked"}, ${mode}: an exception that $name`,
      async (one) => {
        for (const now of INSTANTS) {
          const world = await worldOf(one, mode, checked, now);
          const webhook = await byWebhook(world);
          const { scan, report } = byScan(world);
          const all = { webhook, scan, report, review: await byReview(world), command: await byReport(world) };
          expect(all).toEqual(Object.fromEntries(Object.keys(all).map((key) => [key, webhook])));
        }
      },
    );

test("the cases tell times apart: what passes within the window is refused at its end, to the second", async () => {
  const [first] = CASES;
  if (!first) throw new Error("there are cases");
  const at = async (now: number) => byWebhook(await worldOf(first, "enforce", true, now));
  expect(await Promise.all([BEGINS - 1000, BEGINS, ENDS - 1000, ENDS].map(at))).toEqual([
    { refused: true, codes: ["EXCEPTION_NOT_YET", "HOST_PID"] },
    { refused: false, codes: [] },
    { refused: false, codes: [] },
    { refused: true, codes: ["EXCEPTION_EXPIRED", "HOST_PID"] },
  ]);
});

test("the cases tell grants apart: what is granted to whom, and whether anything else grants", async () => {
  const saidOf = async (name: string) => {
    const one = CASES.find((each) => each.name === name);
    if (!one) throw new Error(`there is no case "${name}"`);
    return byWebhook(await worldOf(one, "enforce", true, BEGINS));
  };
  const refused = (code: string) => ({ refused: true, codes: [code, "HOST_PID"] });
  expect({
    signed: await saidOf("is signed"),
    thisPod: await saidOf("is signed for this Pod"),
    another: await saidOf("is signed for another"),
    uid: await saidOf("is signed for another UID"),
    approved: await saidOf("is approved where only signatures grant"),
    both: await saidOf("is signed where only signatures grant"),
  }).toEqual({
    signed: { refused: false, codes: [] },
    thisPod: { refused: false, codes: [] },
    another: refused("EXCEPTION_MISMATCH"),
    uid: refused("GRANT_NAMESPACE"),
    approved: refused("EXCEPTION_UNSIGNED"),
    both: { refused: false, codes: [] },
  });
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { PROBLEM_CODES, type ProblemCode } from "../../../src/domain/problem-codes.ts";
import { decideAsk, outcomeOf } from "../../../src/reconcile/certificates/decide.ts";
import { beginRefreshAt } from "../../../src/reconcile/certificates/refresh.ts";
import { awaitsUs } from "../../../src/wire/pod-certificate.ts";
import { objectsOf } from "../../fakes/judging.ts";
import { ASK, asked, live, POD, refusedAsk } from "./asked.ts";

const ruled = (ask: string, pod = POD, other: Parameters<typeof live>[1] = {}) => {
  const ruling = decideAsk(asked(ask), live(pod, other));
  return ruling.do === "deny" ? `${ruling.reason}: ${ruling.message}` : [ruling.keyTypes, ruling.ttlSeconds];
};

test("a request that says what is, is signed with its volume's key type and lifetime", () => {
  expect(ruled(ASK)).toEqual([["ECDSAP256"], 7200]);
});

test.each([
  [
    "another UID of the Pod",
    ["podUID: pod-uid", "podUID: old"],
    "PodUnknown: There is no Pod payments/orders-1 with UID old.",
  ],
  ["another node", ["nodeName: n1", "nodeName: n2"], "PodOnOtherNode: Pod payments/orders-1 does not run on node n2."],
  ["another UID of the node", ["nodeUID: node-uid", "nodeUID: old"], "NodeUnknown: There is no node n1 with UID old."],
  [
    "another service account",
    ["serviceAccountName: orders", "serviceAccountName: admin"],
    "ServiceAccountNotOfPod: Pod orders-1 does not run as service account admin.",
  ],
  [
    "a look-alike service account",
    ["serviceAccountName: orders", "serviceAccountName: ordеrs"],
    "ServiceAccountNotOfPod: Pod orders-1 does not run as service account ordеrs.",
  ],
  [
    "another UID of the service account",
    ["serviceAccountUID: account-uid", "serviceAccountUID: old"],
    "ServiceAccountUnknown: There is no service account payments/orders with UID old.",
  ],
  [
    "annotations that nobody knows",
    ["podName: orders-1", "podName: orders-1\n  unverifiedUserAnnotations: {example.org/spiffe-id: spiffe://x/admin}"],
    "InvalidUnverifiedUserAnnotations: userAnnotations are not known here; take them out of the volume.",
  ],
])("a request is denied for %s", (_, [from = "", to = ""], sentence) => {
  expect(ASK).toContain(from);
  expect(ruled(ASK.replace(from, to))).toBe(sentence);
});

test.each([
  ["has ended", ["phase: Pending", "phase: Succeeded"], "PodHasEnded: Pod payments/orders-1 has ended."],
  ["is not bound", ["  nodeName: n1\n", ""], "PodOnOtherNode: Pod payments/orders-1 does not run on node n1."],
  [
    "mounts another signer's certificate",
    ["signerName: signet.dev/svid", "signerName: signet.dev/svid2"],
    "PodMountsNoCertificate: Pod orders-1 has no podCertificate volume of this signer.",
  ],
  [
    "asks for a key type of tomorrow",
    ["keyType: ECDSAP256", "keyType: MLDSA65"],
    "UnsupportedKeyType: The volume asks for a key type that is not known.",
  ],
])("a request is denied where its Pod %s", (_, [from = "", to = ""], sentence) => {
  expect(POD).toContain(from);
  expect(ruled(ASK, POD.replace(from, to))).toBe(sentence);
});

test("requests for a Pod, an account or a node that is not there are denied, whoever made them", () => {
  const { pod: _pod, ...noPod } = live();
  const { serviceAccount: _account, ...noAccount } = live();
  const { node: _node, ...noNode } = live();
  expect([noPod, noAccount, noNode].map((each) => decideAsk(asked(), each))).toMatchObject([
    { do: "deny", reason: "PodUnknown" },
    { do: "deny", reason: "ServiceAccountUnknown" },
    { do: "deny", reason: "NodeUnknown" },
  ]);
});

test("annotations of the Pod are nobody's word: a forged stamp changes nothing", () => {
  const forged = POD.replace(
    "uid: pod-uid}",
    'uid: pod-uid, annotations: {"signet.dev/spiffe-id": "spiffe://x/ns/kube-system/sa/admin"}}',
  );
  expect(forged).not.toBe(POD);
  expect(ruled(ASK, forged)).toEqual([["ECDSAP256"], 7200]);
});

test("a lifetime is the shorter of request and volume", () => {
  expect(ruled(ASK.replace("maxExpirationSeconds: 7200", "maxExpirationSeconds: 86400"))).toEqual([
    ["ECDSAP256"],
    7200,
  ]);
  expect(ruled(ASK.replace("maxExpirationSeconds: 7200", "maxExpirationSeconds: 3600"))).toEqual([["ECDSAP256"], 3600]);
});

test("v1beta1 shows its key in either form", () => {
  const beta = ASK.replace("certificates.k8s.io/v1", "certificates.k8s.io/v1beta1");
  expect(asked(beta).key).toEqual({ form: "pkcs10", request: Buffer.from("a request in DER") });
  const old = beta.replace(/stubPKCS10Request: .*/, "pkixPublicKey: AAAA\n  proofOfPossession: BBBB");
  expect(asked(old).key).toEqual({ form: "pkix", spki: Buffer.alloc(3), proof: Buffer.from("BBBB", "base64") });
});

test.each([
  ["no key", [/ {2}stubPKCS10Request: .*\n/, ""], ["FIELD_INVALID spec"]],
  [
    "two keys",
    ["nodeName: n1", "nodeName: n1\n  pkixPublicKey: AAAA\n  proofOfPossession: AAAA"],
    ["FIELD_INVALID spec"],
  ],
  ["a key that is no base64", [/stubPKCS10Request: .*/, 'stubPKCS10Request: "%"'], ["FIELD_INVALID spec"]],
  ["no Pod", ["  podName: orders-1\n", ""], ["FIELD_MISSING spec.podName"]],
  ["an empty UID", ["podUID: pod-uid", 'podUID: ""'], ["FIELD_MISSING spec.podUID"]],
  [
    "annotations that are no map",
    ["nodeName: n1", "nodeName: n1\n  unverifiedUserAnnotations: [x]"],
    ["FIELD_INVALID spec.unverifiedUserAnnotations"],
  ],
] as const)("a request with %s is not read", (_, [from, to], problems) => {
  expect(refusedAsk(ASK.replace(from, to))).toEqual(problems);
});

test("only requests for our signer without an answer wait for us", () => {
  const raw = (yaml: string) => objectsOf(yaml)[0]?.raw ?? {};
  const answered = (type: string) => `${ASK}status: {conditions: [{type: ${type}, status: "True"}]}\n`;
  expect(
    [ASK, answered("Issued"), answered("Denied"), answered("Failed"), answered("Seen")].map((each) =>
      awaitsUs(raw(each)),
    ),
  ).toEqual([true, false, false, false, true]);
  expect(awaitsUs(raw(ASK.replace("signet.dev/svid", "signet.dev/svids")))).toBe(false);
});

test("of all that the walk may refuse only a bad key is final", () => {
  const codes = Object.keys(PROBLEM_CODES) as ProblemCode[];
  const final = codes.filter((code) => outcomeOf(code, "x").do === "deny").sort();
  expect(final.filter((code) => ["CSR_INVALID", "INPUT_TOO_LARGE", "KEY_TYPE_REFUSED"].includes(code))).toEqual(final);
  expect(outcomeOf("ROLE_NONE", "No role fits.")).toEqual({ do: "wait", reason: "RoleNone", message: "No role fits." });
});

const HOUR = 3_600_000;

test("refreshes are spread over a fifth of the lifetime, in whole seconds", () => {
  const window = { notBefore: 0, notAfter: 10 * HOUR };
  expect([0, 0.5, 1].map((share) => beginRefreshAt(window, share) / HOUR)).toEqual([5, 6, 7]);
});

test("whatever the window, a refresh keeps ten minutes from both ends", () => {
  const lifetimes = fc.integer({ min: 3600, max: 91 * 86_400 });
  fc.assert(
    fc.property(lifetimes, fc.double({ min: 0, max: 1, noNaN: true }), (seconds, share) => {
      const notAfter = seconds * 1000;
      const at = beginRefreshAt({ notBefore: 0, notAfter }, share);
      expect(at % 1000).toBe(0);
      expect(at).toBeGreaterThanOrEqual(600_000);
      expect(at).toBeLessThanOrEqual(notAfter - 600_000);
    }),
  );
});

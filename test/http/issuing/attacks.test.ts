import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { presentPod } from "../../../src/bin/issuing/present.ts";
import { OID } from "../../../src/ca/der/oids.ts";
import { explicit, implicit, octetString, sequence, tagged, TAG } from "../../../src/ca/der/write.ts";
import { ok, refuse } from "../../../src/domain/problem.ts";
import { podOfToken } from "../../../src/kube/bound-token.ts";
import type { KubeClient } from "../../../src/kube/client.ts";
import { decideAsk } from "../../../src/reconcile/certificates/decide.ts";
import type { Raw } from "../../../src/wire/read-object.ts";
import { catalogueOf, NOON } from "../../fakes/judging.ts";
import { SHOP_CATALOGUE } from "../../fakes/ca.ts";
import { ASK, asked, live, POD } from "../../reconcile/certificates/asked.ts";
import { newCsr, openDoor, podOf } from "./door.ts";
import { call, certificateRequest, framed } from "./grpc-call.ts";

/** Nobody gets an identity that is not its own: each attack, and what every door says to it. */
const CART = "spiffe://example.org/ns/web/sa/cart";
const DB = "spiffe://example.org/ns/pay/sa/orders-db";
const DAY = 86_400_000;

let door: Awaited<ReturnType<typeof openDoor>>;
const wide = { burst: 1000, perSecond: 1000 };
beforeAll(async () => {
  door = await openDoor({ credential: wide, failures: wide });
});
afterAll(() => door.stop());
beforeEach(() => {
  door.world.now = NOON;
  door.world.catalogue = catalogueOf(SHOP_CATALOGUE);
  door.world.pods = [podOf("web", "cart"), podOf("pay", "orders-db")];
  door.world.judge = (token) => judged(token);
});

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const tokenFor = (aud: unknown): string => `${base64url({ alg: "RS256" })}.${base64url({ aud })}.c2ln`;
const TOKEN = tokenFor(["signet.dev"]);
const BOUND = { "pod-name": "cart-1", "pod-uid": "cart-1-uid", "node-name": "n1" };

/** The API server's word on a token of Pod web/cart-1, and that Pod as it is; each may be otherwise. */
async function judged(token: string, bound: object = {}, pod: object = {}, review: object = {}) {
  const extra = Object.entries({ ...BOUND, ...bound }).map(([key, value]) => [
    `authentication.kubernetes.io/${key}`,
    [value],
  ]);
  const user = { username: "system:serviceaccount:web:cart", uid: "u", extra: Object.fromEntries(extra) as Raw };
  const status = { authenticated: true, audiences: ["signet.dev"], user, ...review };
  const object = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "web", name: "cart-1", uid: "cart-1-uid", ...pod },
    spec: { serviceAccountName: "cart", nodeName: "n1", containers: [] },
    status: { phase: "Running" },
  };
  const client = {
    create: () => Promise.resolve(ok<Raw>({ status })),
    get: () => Promise.resolve(ok<Raw>(object)),
  } as unknown as KubeClient;
  const facts = await podOfToken(client, token, "signet.dev");
  if (!facts.ok) return facts;
  const present = presentPod(facts.value);
  return present ? ok(present) : refuse("TOKEN_REFUSED", "", "The Pod has ended.");
}

const uris = (...names: readonly string[]): Buffer =>
  sequence(OID.subjectAltName, octetString(sequence(...names.map((each) => implicit(6, Buffer.from(each))))));
const wanting = (...names: readonly string[]): string =>
  newCsr({ attributes: explicit(0, sequence(OID.extensionRequest, tagged(TAG.set, sequence(uris(...names))))) });

type Attack = {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly csr?: string;
  readonly audience?: string;
  readonly identity?: string;
};
type Said = { readonly svids?: string; readonly tokens?: string; readonly grpc?: string };
const all = (code: string): Said => ({ svids: code, tokens: code, grpc: code });

/** The code of a refusal; or for whom a certificate or a token is. */
const DOORS: Readonly<Record<keyof Said, (attack: Attack) => Promise<string>>> = {
  svids: async ({ csr = newCsr(), ...caller }) => {
    const { status, body } = await door.ask("/v1/svids", { ...caller, body: { csr } });
    return status === 200 ? `for ${String(body["spiffeId"])}` : String(body["code"]);
  },
  tokens: async ({ audience = "shop", ...caller }) => {
    const { status, body } = await door.ask("/v1/tokens", { ...caller, body: { audience } });
    return status === 200 ? `for ${String(body["spiffeId"])}` : String(body["code"]);
  },
  grpc: async ({ csr = newCsr(), identity, ...caller }) => {
    const body = framed(certificateRequest(csr, undefined, identity));
    const { status, reason, certificates } = await call(door.grpcPort, { ...caller, body });
    const [leaf] = certificates.map((pem) => new X509Certificate(pem).subjectAltName ?? "");
    return status === 0 ? `for ${/URI:(\S+)/.exec(leaf ?? "")?.[1]}` : reason;
  },
};

const ATTACKS: readonly (readonly [string, () => Attack | Promise<Attack>, Said])[] = [
  [
    "a token for another audience",
    () => ({ token: tokenFor(["https://kubernetes.default.svc"]) }),
    all("TOKEN_REFUSED"),
  ],
  [
    "a token for an audience that begins like ours",
    () => ({ token: tokenFor("signet.dev.evil") }),
    all("TOKEN_REFUSED"),
  ],
  ["a token for an audience that looks like ours", () => ({ token: tokenFor("ѕignet.dev") }), all("TOKEN_REFUSED")],
  [
    "a token that has expired, or is forged",
    () => withJudge((t) => judged(t, {}, {}, { authenticated: false })),
    all("TOKEN_REFUSED"),
  ],
  ["a token of another node", () => withJudge((t) => judged(t, { "node-name": "n2" })), all("TOKEN_REFUSED")],
  [
    "a token of a Pod that was made anew",
    () => withJudge((t) => judged(t, { "pod-uid": "old" })),
    all("TOKEN_REFUSED"),
  ],
  [
    "a token that is bound to nothing",
    () => withJudge((t) => judged(t, {}, {}, { user: { username: "alice" } })),
    all("TOKEN_REFUSED"),
  ],
  ["a token of 9,000 bytes", () => ({ token: "a".repeat(9000) }), all("CALLER_UNKNOWN")],
  [
    "a stamp that the Pod's author forged",
    () => withJudge((t) => judged(t, {}, { annotations: { "signet.dev/spiffe-id": DB } })),
    all(`for ${CART}`),
  ],
  [
    "a request that was made for somebody else",
    () => ({ token: TOKEN, csr: wanting(DB) }),
    { svids: `for ${CART}`, grpc: `for ${CART}` },
  ],
  [
    "a request with two names",
    () => ({ token: TOKEN, csr: wanting(CART, DB) }),
    { svids: "CSR_INVALID", grpc: "CSR_INVALID" },
  ],
  [
    "a request whose key is not its sender's",
    () => ({ token: TOKEN, csr: stolenKey() }),
    { svids: "CSR_INVALID", grpc: "CSR_INVALID" },
  ],
  ["somebody else's identity by name", () => ({ token: TOKEN, identity: DB }), { grpc: "IMPERSONATION_REFUSED" }],
  [
    "an identity that looks like one's own",
    () => ({ token: TOKEN, identity: CART.replace("a", "а") }),
    { grpc: "IMPERSONATION_REFUSED" },
  ],
  [
    "an identity with a way up in it",
    () => ({ token: TOKEN, identity: `${CART}/../../../pay/sa/orders-db` }),
    { grpc: "IMPERSONATION_REFUSED" },
  ],
  ["an audience that looks like another", () => ({ token: TOKEN, audience: "ѕhop" }), { tokens: "FIELD_INVALID" }],
  ["an SVID of yesterday", () => held(DAY), all("SVID_INVALID")],
  ["an SVID of tomorrow", () => held(-DAY), all("SVID_INVALID")],
  ["an SVID of another authority of the same name", foreignSvid, all("SVID_INVALID")],
  ["an SVID whose workload has gone", gone, all("CALLER_UNKNOWN")],
];

function withJudge(judge: typeof door.world.judge): Attack {
  door.world.judge = judge;
  return { token: TOKEN };
}

async function held(laterMs: number): Promise<Attack> {
  door.world.now = NOON;
  const { cert, key } = await door.svidOf("web", "cart");
  door.world.now = NOON + laterMs;
  return { cert, key };
}

async function foreignSvid(): Promise<Attack> {
  const other = await openDoor();
  const { cert, key } = await other.svidOf("web", "cart");
  await other.stop();
  return { cert, key };
}

async function gone(): Promise<Attack> {
  const { cert, key } = await door.svidOf("web", "cart");
  door.world.pods = [];
  return { cert, key };
}

/** Signed by a key that is not the one in it. */
function stolenKey(): string {
  const [own, theirs] = [Buffer.from(derOf(newCsr())), Buffer.from(derOf(newCsr()))];
  own.set(theirs.subarray(-20), own.length - 20);
  return `-----BEGIN CERTIFICATE REQUEST-----\n${own.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
}
const derOf = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----|\n/g, ""), "base64");

describe.each(ATTACKS)("%s", (_, prepare, said) => {
  test.each(Object.entries(said) as [keyof Said, string][])("at the door %s", async (name, expected) => {
    expect(await DOORS[name](await prepare())).toBe(expected);
  });
});

test("with clocks five minutes apart everybody is still who it is", async () => {
  for (const skew of [300_000, -100_000]) expect(await DOORS.svids(await held(skew))).toBe(`for ${CART}`);
});

test.each<[string, readonly [string, string], string]>([
  ["another Pod's UID", ["podUID: pod-uid", "podUID: old"], "PodUnknown"],
  ["another node", ["nodeName: n1", "nodeName: n2"], "PodOnOtherNode"],
  ["another account", ["serviceAccountName: orders", "serviceAccountName: admin"], "ServiceAccountNotOfPod"],
  [
    "an account that looks like its own",
    ["serviceAccountName: orders", "serviceAccountName: ordеrs"],
    "ServiceAccountNotOfPod",
  ],
  [
    "an account with a way up in it",
    ["serviceAccountName: orders", "serviceAccountName: ../admin"],
    "ServiceAccountNotOfPod",
  ],
  [
    "annotations for the signer",
    ["podName: orders-1", "podName: orders-1\n  unverifiedUserAnnotations: {a.b/id: x}"],
    "InvalidUnverifiedUserAnnotations",
  ],
])("a kubelet's request for %s is denied", (_, [from, to], reason) => {
  expect(ASK).toContain(from);
  expect(decideAsk(asked(ASK.replace(from, to)), live(POD))).toMatchObject({ do: "deny", reason });
});

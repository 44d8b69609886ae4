import { expect, test } from "vitest";
import { podOfToken } from "../../src/kube/bound-token.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import { ok, refuse } from "../../src/domain/problem.ts";
import type { Raw } from "../../src/wire/read-object.ts";

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const tokenFor = (aud: unknown): string => `${base64url({ alg: "RS256" })}.${base64url({ aud })}.c2ln`;
const TOKEN = tokenFor(["signet.dev"]);

const EXTRA = {
  "authentication.kubernetes.io/pod-name": ["cart-1"],
  "authentication.kubernetes.io/pod-uid": ["pod-uid"],
  "authentication.kubernetes.io/node-name": ["n1"],
};
const REVIEW = {
  authenticated: true,
  audiences: ["signet.dev"],
  user: { username: "system:serviceaccount:web:cart", uid: "account-uid", extra: EXTRA },
};
const POD = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { namespace: "web", name: "cart-1", uid: "pod-uid" },
  spec: { serviceAccountName: "cart", nodeName: "n1", containers: [] },
  status: { phase: "Running" },
};

/** An API server that answers one review and holds one Pod. */
function judged(token: string, review: object = REVIEW, pod: Raw | null = POD) {
  const asked: unknown[] = [];
  const client = {
    create: (_resource: unknown, body: Raw) => {
      asked.push(body["spec"]);
      return Promise.resolve(ok<Raw>({ status: review }));
    },
    get: () => Promise.resolve(pod ? ok(pod) : refuse("NOT_FOUND", "", "There is no such Pod.")),
  } as unknown as KubeClient;
  return podOfToken(client, token, "signet.dev").then((found) => ({
    asked,
    said: found.ok ? found.value.uid : found.problems.map(({ code, message }) => `${code} ${message}`).join(),
  }));
}

test("a token that is bound to a Pod speaks for it, and the review asks for our audience alone", async () => {
  expect(await judged(TOKEN)).toEqual({ said: "pod-uid", asked: [{ token: TOKEN, audiences: ["signet.dev"] }] });
});

test.each<[string, string]>([
  ["for another audience", tokenFor(["https://kubernetes.default.svc"])],
  ["for a longer audience", tokenFor("signet.dev.evil")],
  ["without audience", tokenFor(undefined)],
  ["that is no JWT", "opaque"],
])("a token %s is refused, and the API server is not asked", async (_, token) => {
  expect(await judged(token)).toEqual({
    said: "TOKEN_REFUSED The token is not for audience signet.dev.",
    asked: [],
  });
});

const user = (change: object) => ({ ...REVIEW, user: { ...REVIEW.user, ...change } });
const extra = (change: object) => user({ extra: { ...EXTRA, ...change } });
const GONE = "TOKEN_REFUSED The Pod that the token is bound to is not there any more.";
const ELSEWHERE = "TOKEN_REFUSED The Pod that the token is bound to is of another account, or on another node.";

test.each<[string, object, Raw | null, string]>([
  [
    "expired or forged",
    { authenticated: false },
    POD,
    "TOKEN_REFUSED The API server does not accept this token for us.",
  ],
  [
    "taken for another audience",
    { ...REVIEW, audiences: ["x"] },
    POD,
    "TOKEN_REFUSED The API server does not accept this token for us.",
  ],
  ["a user's", user({ username: "alice" }), POD, "TOKEN_REFUSED The token is not bound to a Pod."],
  ["of no Pod", user({ extra: {} }), POD, "TOKEN_REFUSED The token is not bound to a Pod."],
  [
    "of two Pods",
    extra({ "authentication.kubernetes.io/pod-name": ["cart-1", "db-1"] }),
    POD,
    "TOKEN_REFUSED The token is not bound to a Pod.",
  ],
  ["of a Pod that was made anew", extra({ "authentication.kubernetes.io/pod-uid": ["old"] }), POD, GONE],
  ["of a Pod that has gone", REVIEW, null, GONE],
  ["of another node", extra({ "authentication.kubernetes.io/node-name": ["n2"] }), POD, ELSEWHERE],
  ["of another account's Pod", user({ username: "system:serviceaccount:web:admin" }), POD, ELSEWHERE],
  ["of a Pod that has ended", REVIEW, { ...POD, status: { phase: "Failed" } }, "TOKEN_REFUSED The Pod has ended."],
])("a token that is %s is nobody's", async (_, review, pod, sentence) => {
  expect((await judged(TOKEN, review, pod)).said).toBe(sentence);
});

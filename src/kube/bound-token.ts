import { refuse, type Result } from "../domain/problem.ts";
import { type PodFacts, readPodFacts } from "../wire/pod-facts.ts";
import type { KubeClient } from "./client.ts";
import { liveObject } from "./live-object.ts";
import { reviewToken, type User } from "./reviews.ts";
import { PODS } from "./signer-watches.ts";

const ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
const EXTRA = {
  pod: "authentication.kubernetes.io/pod-name",
  podUid: "authentication.kubernetes.io/pod-uid",
  node: "authentication.kubernetes.io/node-name",
} as const;

/**
 * The live Pod that a service account's token is bound to. The API server says whose token it is, and the Pod is read anew:
 * a token that is bound to none, or to one that has gone, runs elsewhere or is of another account, is nobody's. Refuses with
 * TOKEN_REFUSED. Throws where the API server cannot be asked.
 */
export async function podOfToken(client: KubeClient, token: string, audience: string): Promise<Result<PodFacts>> {
  if (!isForUs(token, audience)) return refused("The token is not for audience signet.dev.");
  const user = await reviewToken(client, token, [audience]);
  if (!user.ok) return user;
  const binding = bindingOf(user.value);
  if (!binding) return refused("The token is not bound to a Pod.");
  const { namespace, name } = binding;
  const read = await client.get(PODS.resource, { namespace, name });
  const facts = read.ok ? readPodFacts(liveObject(read.value)) : read;
  if (!facts.ok) return refused(GONE);
  const failed = CHECKS.find(([, holds]) => !holds(facts.value, binding));
  return failed ? refused(failed[0]) : facts;
}

/** What the API server says a token is bound to; the node is not told by every release. */
type Binding = {
  readonly namespace: string;
  readonly account: string;
  readonly name: string;
  readonly uid: string;
  readonly node: string | undefined;
};

function bindingOf(user: User): Binding | undefined {
  const [, namespace, account] = ACCOUNT.exec(user.username) ?? [];
  const [name, uid, node] = [EXTRA.pod, EXTRA.podUid, EXTRA.node].map((key) => one(user, key));
  if (namespace === undefined || account === undefined || name === undefined || uid === undefined) return undefined;
  return { namespace, account, name, uid, node };
}

const GONE = "The Pod that the token is bound to is not there any more.";

const CHECKS: readonly (readonly [string, (pod: PodFacts, binding: Binding) => boolean])[] = [
  [GONE, (pod, { uid }) => pod.uid === uid],
  [
    "The Pod that the token is bound to is of another account, or on another node.",
    (pod, { account, node }) =>
      pod.workload.serviceAccount === account && (node === undefined || node === pod.nodeName),
  ],
  ["The Pod has ended.", ({ phase }) => phase !== "Succeeded" && phase !== "Failed"],
];

const one = ({ extra }: User, key: string): string | undefined => {
  const values = Object.hasOwn(extra, key) ? extra[key] : undefined;
  return values?.length === 1 ? values[0] : undefined;
};

const refused = (message: string): Result<never> =>
  refuse(
    "TOKEN_REFUSED",
    "",
    message,
    "Mount a projected token of audience signet.dev and send it as it is; kubelet renews it.",
  );

/** What is plainly not for us costs the API server nothing. Nothing is believed: the API server says who it is. */
function isForUs(token: string, audience: string): boolean {
  try {
    const [, claims = ""] = token.split(".");
    const read: unknown = JSON.parse(Buffer.from(claims, "base64url").toString("utf8"));
    const aud: unknown = typeof read === "object" && read !== null && "aud" in read ? read.aud : undefined;
    return Array.isArray(aud) ? aud.includes(audience) : aud === audience;
  } catch {
    return false;
  }
}

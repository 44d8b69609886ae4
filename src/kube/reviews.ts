import { ok, problemLine, refuse, type Result } from "../domain/problem.ts";
import { isRaw, type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { KubeClient } from "./client.ts";
import type { Resource } from "./resources.ts";

const TOKEN_REVIEWS: Resource = {
  group: "authentication.k8s.io",
  version: "v1",
  plural: "tokenreviews",
  kind: "TokenReview",
  namespaced: false,
};

/** Whom the API server knows a caller as. */
export type User = {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
};

/** What somebody wants to do; `name` and `namespace` are left out where all are meant. */
export type Attempt = {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
};

/**
 * Asks the API server who a token belongs to. Refused where it is not valid, or was not issued for one of the audiences
 * (a server that knows no audiences is refused too: authentication/v1 TokenReviewStatus.audiences).
 */
export async function reviewToken(
  client: KubeClient,
  token: string,
  audiences: readonly string[],
): Promise<Result<User>> {
  const review = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    metadata: {},
    spec: { token, audiences },
  };
  const answered = await client.create(TOKEN_REVIEWS, review);
  if (!answered.ok) return answered;
  const status = rawAt(answered.value, "status");
  const meant = textsAt(status, "audiences").some((audience) => audiences.includes(audience));
  if (status["authenticated"] !== true || !meant)
    return refuse("TOKEN_REFUSED", "", "The API server does not accept this token for us.", "Use a token of ours.");
  return ok(userOf(rawAt(status, "user")));
}

const SELF_REVIEWS: Resource = {
  group: "authorization.k8s.io",
  version: "v1",
  plural: "selfsubjectaccessreviews",
  kind: "SelfSubjectAccessReview",
  namespaced: false,
};

/** Asks the API server whether we may do something ourselves. One that does not answer is a fault, and no refusal. */
export async function reviewOwnAccess(client: Pick<KubeClient, "create">, attempt: Attempt): Promise<boolean> {
  const answered = await client.create(SELF_REVIEWS, {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    metadata: {},
    spec: { resourceAttributes: attempt },
  });
  if (!answered.ok) throw new Error(answered.problems.map(problemLine).join("; "));
  return rawAt(answered.value, "status")["allowed"] === true;
}

function userOf(raw: Raw): User {
  const extra = Object.keys(rawAt(raw, "extra")).map((key) => [key, textsAt(rawAt(raw, "extra"), key)] as const);
  return {
    username: textAt(raw, "username") ?? "",
    uid: textAt(raw, "uid") ?? "",
    groups: textsAt(raw, "groups"),
    extra: Object.fromEntries(extra),
  };
}

const textsAt = (raw: Raw, key: string): readonly string[] => {
  const value = isRaw(raw) ? raw[key] : undefined;
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
};

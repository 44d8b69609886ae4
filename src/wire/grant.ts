import { type Static, Type } from "typebox";
import type { SignedGrants } from "../domain/grants.ts";
import type { Exception } from "../domain/definitions.ts";
import { formatInstant } from "../domain/instant.ts";
import { ok, type Problem, refuse, type Result } from "../domain/problem.ts";
import { readException } from "./definitions/traffic-readers.ts";
import { readDocuments } from "./documents.ts";
import { GROUP, VERSION } from "./kinds/kind.ts";
import { fields, namespaceName, objectName, optional, text } from "./kinds/fields.ts";
import { SEGMENT_EXCEPTION } from "./kinds/segment-exception.ts";
import { readApiObject } from "./objects.ts";
import { readBySchema } from "./read-by-schema.ts";

/** `typ` of the JWS header: a token for anything else is never taken for a grant (RFC 8725 §3.11). */
export const GRANT_TYPE = "signet-grant+jwt";

/** Payload of a signed grant: an exception, and what it is bound to. `exp` says again when it ends (RFC 7519 §4.1.4). */
const payload = fields("A signed grant.", {
  iat: Type.Integer({ description: "When it was signed, in seconds since 1970.", minimum: 0 }),
  exp: Type.Integer({ description: "When it ends, in seconds since 1970; the exception's own end.", minimum: 0 }),
  namespace: namespaceName("Namespace of the exception."),
  namespaceUID: text("UID of that namespace.", 64),
  name: objectName("Name of the exception, as the annotation points to it."),
  workload: optional(
    fields("The one object that is meant.", {
      kind: text("Its kind.", 63),
      name: text("Its name.", 253),
    }),
  ),
  spec: SEGMENT_EXCEPTION.spec,
});

/** What a grant says of one exception before it is signed. */
export type GrantClaims = {
  readonly namespaceUid: string;
  readonly workload?: { readonly kind: string; readonly name: string };
};

/** The payload that is signed for an exception; `spec` is the object's own, whole. */
export const renderGrant = (exception: Exception, spec: unknown, claims: GrantClaims, now: number): string =>
  JSON.stringify({
    iat: Math.floor(now / 1000),
    exp: Math.floor(exception.expires / 1000),
    namespace: exception.namespace,
    namespaceUID: claims.namespaceUid,
    name: exception.name,
    ...(claims.workload ? { workload: claims.workload } : {}),
    spec,
  });

/** Reads a payload whose signature was verified: the exception that it grants, approved by `signer`. */
export function readGrant(text: string, signer: string, file: string): Result<Exception> {
  const documents = readDocuments(text, file);
  const [document] = documents.ok ? documents.value : [];
  if (!document) return unreadable(file, "its payload is no JSON object");
  const read = readBySchema(payload, document.value, { document, base: [] }, []);
  if (!read.ok) return read;
  const { namespace, name, spec, namespaceUID, workload, iat } = read.value;
  const raw = { apiVersion: `${GROUP}/${VERSION}`, kind: SEGMENT_EXCEPTION.kind, metadata: { namespace, name }, spec };
  const object = readApiObject(raw, file);
  const exception = object.ok ? readException(object.value) : object;
  if (!exception.ok) return exception;
  const odd = oddity(exception.value, read.value);
  if (odd !== undefined) return unreadable(file, odd);
  return ok({
    ...exception.value,
    approval: { state: "approved", generation: 0, by: [`key ${signer}`] },
    grant: { signer, signedAt: iat * 1000, namespaceUid: namespaceUID, ...(workload ? { workload } : {}) },
    notBefore: Math.max(exception.value.notBefore ?? 0, iat * 1000 - CLOCK_SKEW_MS),
  });
}

/** Where what a grant says of its exception is not what the exception says. */
function oddity({ expires, permit }: Exception, { exp, workload }: Static<typeof payload>): string | undefined {
  if (Math.floor(expires / 1000) !== exp) return `exp and the exception's end (${formatInstant(expires)}) differ`;
  if (workload && "sentence" in permit)
    return "it permits a connection, which is a role's, and is bound to one workload";
  return undefined;
}

/** A pipeline's clock may be behind that of whoever signed. */
const CLOCK_SKEW_MS = 60_000;

const unreadable = (file: string, why: string): Result<never> =>
  refuse("GRANT_UNREADABLE", "", `${file} is no grant: ${why}.`, "Have it signed anew with `signet exceptions grant`.");

/** A grant whose signature was verified, as it is kept: its payload byte for byte, and the name of the key. */
export type VerifiedGrant = { readonly file: string; readonly payload: string; readonly signer: string };

/** Grants, and the text that they can be read out of again; equal grants have equal texts. */
export type GrantSet = SignedGrants & { readonly text: string };

/** Reads verified grants. One that cannot be read grants nothing, and takes nothing away from the others. */
export function readGrants(
  verified: readonly VerifiedGrant[],
  only: boolean,
): { readonly set: GrantSet; readonly problems: readonly Problem[] } {
  const read = verified.map(({ payload, signer, file }) => readGrant(payload, signer, file));
  return {
    set: {
      only,
      exceptions: read.flatMap((each) => (each.ok ? [each.value] : [])),
      text: JSON.stringify([{ only, grants: verified.filter((_, index) => read[index]?.ok) }]),
    },
    problems: read.flatMap((each) => (each.ok ? [] : each.problems)),
  };
}

import { isUtf8 } from "node:buffer";
import { ok, refuse, type Result } from "../../domain/problem.ts";
import type { SvidWish } from "../issuing/services.ts";
import { type Field, lengthField, NotProtobuf, readFields } from "./protobuf.ts";

/** What a client of Istio's certificate service asks for; an identity only where it asks for somebody else. */
export type CertificateRequest = { readonly wish: SvidWish; readonly identity?: string };

/** Field numbers of istio.v1.auth.IstioCertificateRequest, and of the parts of google.protobuf.Struct. */
const FIELD = { csr: 1, validity: 3, metadata: 4 } as const;
const STRUCT = { entry: 1, key: 1, value: 2, text: 3 } as const;
const IMPERSONATED = "ImpersonatedIdentity";

/**
 * Reads IstioCertificateRequest (istio/api security/v1alpha1/ca.proto). A field that comes twice, a text that is no UTF-8 and a
 * lifetime below nothing refuse the whole; fields that are not known are of newer clients, and ignored as protobuf wants it.
 */
export function readCertificateRequest(bytes: Buffer): Result<CertificateRequest> {
  try {
    const fields = readFields(bytes);
    const csr = textIn(fields, FIELD.csr);
    if (csr === undefined) return refuse("FIELD_MISSING", "csr", "The field csr is missing.", "It is a PEM text.");
    const identity = impersonated(only(fields, FIELD.metadata));
    return ok({
      wish: { csr, ...lifetime(only(fields, FIELD.validity)) },
      ...(identity === undefined ? {} : { identity }),
    });
  } catch (fault) {
    if (fault instanceof NotProtobuf)
      return refuse("FIELD_INVALID", "", `The message is no IstioCertificateRequest: ${fault.message}.`);
    throw fault;
  }
}

/** IstioCertificateResponse: each certificate a text of its own, the leaf first, all roots in the last. */
export const renderCertificateResponse = (certificates: string, bundle: string): Buffer =>
  Buffer.concat([...(certificates.match(CERTIFICATE) ?? []), bundle].map((pem) => lengthField(1, pem)));

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g;

/** protobuf lets the last of several win; two readers must not understand one request in two ways. */
function only(fields: readonly Field[], number: number): Field["value"] | undefined {
  const [first, ...more] = fields.filter((field) => field.number === number);
  if (more.length > 0) throw new NotProtobuf(`field ${number} comes twice`);
  return first?.value;
}

function textIn(fields: readonly Field[], number: number): string | undefined {
  const value = only(fields, number);
  if (value === undefined) return undefined;
  if (typeof value === "bigint" || !isUtf8(value)) throw new NotProtobuf(`field ${number} is no text`);
  return value.toString("utf8");
}

/** Zero is how protobuf leaves a number out. */
function lifetime(value: Field["value"] | undefined): Pick<SvidWish, "ttlSeconds"> {
  if (value === undefined || value === 0n) return {};
  const seconds = typeof value === "bigint" ? Number(BigInt.asIntN(64, value)) : Number.NaN;
  if (!(Number.isSafeInteger(seconds) && seconds > 0)) throw new NotProtobuf("the lifetime is no number of seconds");
  return { ttlSeconds: seconds };
}

/** The one key of the metadata that asks for something; others tell of the client. */
function impersonated(metadata: Field["value"] | undefined): string | undefined {
  if (metadata === undefined) return undefined;
  const found = messageOf(metadata)
    .filter(({ number }) => number === STRUCT.entry)
    .map(({ value }) => messageOf(value))
    .filter((entry) => textIn(entry, STRUCT.key) === IMPERSONATED)
    .map((entry) => textIn(messageOf(only(entry, STRUCT.value) ?? Buffer.of()), STRUCT.text));
  if (found.length > 1) throw new NotProtobuf(`${IMPERSONATED} comes twice`);
  if (found.length === 1 && found[0] === undefined) throw new NotProtobuf(`${IMPERSONATED} is no text`);
  return found[0];
}

function messageOf(value: Field["value"]): readonly Field[] {
  if (typeof value === "bigint") throw new NotProtobuf("a number where a message is due");
  return readFields(value);
}

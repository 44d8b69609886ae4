import { type Problem, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { type LeafKey, readLeafKey } from "../identity/leaf-key.ts";
import { ALGORITHMS } from "./der/algorithms.ts";
import { OID } from "./der/oids.ts";
import { NotDer, readInside, readNamed, readOne, readSigned, type Value } from "./der/read.ts";
import { TAG } from "./der/write.ts";
import { type VerifySigned, verifyInPool } from "./keys/verify-signature.ts";

/** Octets of a request, PEM or DER, at most. The largest legitimate one, with an RSA-4096 key, has about 1,700 in PEM. */
export const CSR_MAX_BYTES = 8192;

const PEM =
  /^-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END (?:NEW )?CERTIFICATE REQUEST-----\s*$/;

/**
 * Reads a certificate request (PKCS#10, RFC 2986; PEM text or DER) for the one thing that it can prove: who sends it holds
 * the private key. Subject and names asked for are not looked at: what a certificate says is derived elsewhere. Refuses
 * with CSR_INVALID what is not DER to the letter, or odd (other attributes than one extensionRequest, two URIs, a signature
 * that does not verify), with KEY_TYPE_REFUSED a key that leaves do not have, and with INPUT_TOO_LARGE.
 */
export async function readCsr(input: string | Uint8Array, verify = verifyInPool): Promise<Result<LeafKey>> {
  if (input.length > CSR_MAX_BYTES)
    return refuse("INPUT_TOO_LARGE", "csr", `The request is larger than ${CSR_MAX_BYTES} bytes.`);
  const der = typeof input === "string" ? fromPem(input) : Buffer.from(input);
  if (!der) return odd("it is not one PEM block of type CERTIFICATE REQUEST");
  try {
    return await readRequest(der, verify);
  } catch (fault) {
    if (fault instanceof NotDer) return odd(fault.message);
    throw fault;
  }
}

function fromPem(text: string): Buffer | undefined {
  const body = PEM.exec(text)?.[1]?.replace(/[\r\n]/g, "");
  if (body === undefined || body.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(body, "base64");
  return bytes.toString("base64") === body ? bytes : undefined;
}

async function readRequest(der: Buffer, verify: VerifySigned): Promise<Result<LeafKey>> {
  const { signed, algorithm, signature } = readSigned(der);
  const { spki, attributes } = infoParts(signed);
  const wrong = oddAttribute(attributes);
  if (wrong) return refuseAll([wrong]);
  const key = readLeafKey(spki.whole, "csr");
  if (!key.ok) return key;
  const fitting = ALGORITHMS[key.value.keyType].find(({ identifier }) => identifier.equals(algorithm.whole));
  if (!fitting) return odd("its signature algorithm does not fit the key");
  const { keyType } = key.value;
  const proved = await verify({ keyType, algorithm: fitting, spki: spki.whole, bytes: signed.whole, signature });
  return proved ? key : odd("its signature is not made with its key");
}

function infoParts(info: Value) {
  const { version, subject, spki, attributes } = readNamed(info, TAG.sequence, PARTS);
  if (!version.whole.equals(VERSION_0) || subject.tag !== TAG.sequence) throw new NotDer("it is not of version 0");
  return { spki, attributes };
}

const PARTS = ["version", "subject", "spki", "attributes"] as const;
const VERSION_0 = Buffer.from([2, 1, 0]);
const ATTRIBUTES = 0xa0;

/** What is wrong with the attributes; they may hold one request for extensions, which then names each once. */
function oddAttribute(attributes: Value): Problem | undefined {
  const [first, ...more] = readInside(attributes, ATTRIBUTES, 8);
  if (!first) return undefined;
  const [id, values, ...rest] = readInside(first, TAG.sequence);
  if (more.length > 0 || rest.length > 0 || !id?.whole.equals(OID.extensionRequest) || !values)
    return oddity("it has attributes other than one extensionRequest");
  const [extensions, ...others] = readInside(values, TAG.set);
  if (!extensions || others.length > 0) return oddity("its extensionRequest has not one value");
  return oddExtensions(readInside(extensions, TAG.sequence).map((each) => readInside(each, TAG.sequence)));
}

function oddExtensions(extensions: readonly (readonly Value[])[]): Problem | undefined {
  const ids = extensions.map(([id]) => id?.whole.toString("hex") ?? "");
  if (new Set(ids).size !== ids.length) return oddity("it asks for an extension twice");
  const names = extensions.find(([id]) => id?.whole.equals(OID.subjectAltName))?.at(-1);
  if (!names) return undefined;
  if (names.tag !== TAG.octetString) return oddity("its subjectAltName is not an OCTET STRING");
  const uris = readInside(readOne(names.contents), TAG.sequence).filter(({ tag }) => tag === URI);
  return uris.length > 1 ? oddity("it asks for more than one URI (X509-SVID §2)") : undefined;
}

const URI = 0x86;

const oddity = (why: string): Problem => ({
  code: "CSR_INVALID",
  path: "csr",
  message: `The certificate request cannot be accepted: ${why}.`,
  mend: "Send one PKCS#10 request, signed with the key that it names. Nothing else in it is looked at.",
});

const odd = (why: string): Result<never> => refuseAll([oddity(why)]);

import { createPublicKey, hash, randomBytes } from "node:crypto";
import type { Handle, Template } from "pkcs11js";
import type { AuthorityKeyType } from "../../../domain/certificate.ts";
import { parsePkcs11Uri, type Pkcs11Uri, renderPkcs11Uri } from "../../../wire/pkcs11-uri.ts";
import { algorithmOf } from "../../der/algorithms.ts";
import { readOne } from "../../der/read.ts";
import { bitString, integer, oid, sequence } from "../../der/write.ts";
import { type KeyStore, VAULT_KEYS } from "../key-store.ts";
import { authorityKeyType, type SigningKey } from "../signing-key.ts";
import { CK } from "./constants.ts";
import { type Session, Token } from "./token.ts";

/** What a store of keys in a token is handed in. */
export type Pkcs11Parts = {
  /** Throws KeyUnavailable where there is none. */
  readonly readPin: () => string;
  /** Hears why a key could not be destroyed. */
  readonly lost: (reason: string) => void;
};

/**
 * Keys that are made in a token and never leave it (CKA_SENSITIVE, not CKA_EXTRACTABLE). What the vault keeps is a PKCS#11
 * URI with token and identifier. Keys that the vault itself holds, from before the token, are opened as ever.
 */
export function pkcs11Keys(uri: Pkcs11Uri, { readPin, lost }: Pkcs11Parts): KeyStore {
  const token = new Token({ uri, readPin });
  return {
    make: async (keyType) => {
      const label = uri.object ?? "signet";
      const { id, spki } = await token.use(async ({ module, handle }) => {
        // A second try may find what the first one left.
        const id = randomBytes(20);
        const { mechanism, parameters } = GENERATE[keyType];
        const { publicKey } = module.C_GenerateKeyPair(
          handle,
          { mechanism },
          [...parameters(), ...publicTemplate(label, id)],
          privateTemplate(label, id),
        );
        return { id, spki: readSpki({ module, handle }, publicKey, keyType) };
      });
      const kept = renderPkcs11Uri({ token: uri.token, id: id.toString("hex") });
      return { kept, key: keyIn(token, spki, [{ type: CK.id, value: id }]) };
    },
    open: (kept, spki) =>
      kept.startsWith("pkcs11:") ? keyIn(token, spki, selectorOf(kept)) : VAULT_KEYS.open(kept, spki),
    forget: async (kept) => {
      if (!kept.startsWith("pkcs11:")) return;
      const selector = selectorOf(kept);
      await token
        .use((session) => Promise.resolve(destroy(session, selector)))
        .catch((fault: unknown) => {
          lost(fault instanceof Error ? fault.message : "unknown");
        });
    },
  };
}

/** The one key that a URI names, its public half read from the token; undefined where there is none. Throws KeyUnavailable. */
export async function findPkcs11Key(uri: Pkcs11Uri, readPin: () => string): Promise<SigningKey | undefined> {
  const token = new Token({ uri, readPin });
  const selector = selectorIn(uri);
  const spki = await token.use((session) => {
    const [publicKey] = find(session, [{ type: CK.class, value: CK.classPublic }, ...selector]);
    return Promise.resolve(publicKey && readSpki(session, publicKey, undefined));
  });
  return spki && keyIn(token, spki, selector);
}

function selectorOf(kept: string): Template {
  const uri = parsePkcs11Uri(kept, "");
  if (!uri.ok) throw new Error("what is kept of a key is no PKCS#11 URI");
  return selectorIn(uri.value);
}

const selectorIn = ({ id, object }: Pkcs11Uri): Template => [
  ...(id === undefined ? [] : [{ type: CK.id, value: Buffer.from(id, "hex") }]),
  ...(object === undefined ? [] : [{ type: CK.label, value: object }]),
];

/** A key that is looked up each time it signs: the token may have been away, and come back. */
function keyIn(token: Token, spki: Buffer, selector: Template): SigningKey {
  const keyType = authorityKeyType(spki);
  const algorithm = algorithmOf(keyType);
  return {
    keyType,
    algorithm,
    spki,
    inMemory: false,
    sign: (bytes) =>
      token.use(async (session) => {
        const { module, handle } = session;
        const key = findOne(session, [{ type: CK.class, value: CK.classPrivate }, ...selector]);
        const elliptic = keyType.startsWith("ECDSA");
        module.C_SignInit(handle, { mechanism: elliptic ? CK.signEcdsa : CK.signRsaSha256 }, key);
        const data = elliptic ? hash(algorithm.hash ?? "sha256", bytes, "buffer") : Buffer.from(bytes);
        const signature = await module.C_SignAsync(handle, data, Buffer.alloc(LARGEST_SIGNATURE));
        return elliptic ? concatToDer(signature) : signature;
      }),
  };
}

const LARGEST_SIGNATURE = 512;

/** At most two: whoever looks for one must know that there are more. */
function find({ module, handle }: Session, template: Template): readonly Handle[] {
  module.C_FindObjectsInit(handle, template);
  const found = module.C_FindObjects(handle, 2);
  module.C_FindObjectsFinal(handle);
  return found;
}

function findOne(session: Session, template: Template): Handle {
  const [first, ...more] = find(session, template);
  if (!first) throw new Error("the key is not in it");
  if (more.length > 0) throw new Error("several keys of that name are in it");
  return first;
}

function destroy(session: Session, selector: Template): void {
  for (const value of [CK.classPrivate, CK.classPublic])
    session.module.C_DestroyObject(session.handle, findOne(session, [{ type: CK.class, value }, ...selector]));
}

const publicTemplate = (label: string, id: Buffer): Template => [
  { type: CK.token, value: true },
  { type: CK.verify, value: true },
  { type: CK.label, value: label },
  { type: CK.id, value: id },
];

const privateTemplate = (label: string, id: Buffer): Template => [
  { type: CK.token, value: true },
  { type: CK.private, value: true },
  { type: CK.sensitive, value: true },
  { type: CK.extractable, value: false },
  { type: CK.sign, value: true },
  { type: CK.label, value: label },
  { type: CK.id, value: id },
];

const CURVES = { ECDSAP256: oid("1.2.840.10045.3.1.7"), ECDSAP384: oid("1.3.132.0.34") } as const;
const EC_PUBLIC_KEY = oid("1.2.840.10045.2.1");

type Generating = { readonly mechanism: number; readonly parameters: () => Template };

const curve = (keyType: keyof typeof CURVES): Generating => ({
  mechanism: CK.generateEc,
  parameters: () => [{ type: CK.ecParameters, value: CURVES[keyType] }],
});
const rsa = (bits: number): Generating => ({
  mechanism: CK.generateRsa,
  parameters: () => [
    { type: CK.modulusBits, value: bits },
    { type: CK.publicExponent, value: Buffer.from([1, 0, 1]) },
  ],
});

const GENERATE: Readonly<Record<AuthorityKeyType, Generating>> = {
  ECDSAP256: curve("ECDSAP256"),
  ECDSAP384: curve("ECDSAP384"),
  RSA3072: rsa(3072),
  RSA4096: rsa(4096),
};

/** A public key in the token as SubjectPublicKeyInfo, DER. */
function readSpki({ module, handle }: Session, key: Handle, made: AuthorityKeyType | undefined): Buffer {
  const read = (type: number): Buffer => {
    const [found] = module.C_GetAttributeValue(handle, key, [{ type }]);
    return Buffer.isBuffer(found?.value) ? found.value : Buffer.alloc(0);
  };
  const elliptic = made ? made.startsWith("ECDSA") : read(CK.keyType)[0] === CK.typeEc;
  if (elliptic) return ecSpki(read(CK.ecParameters), readOne(read(CK.ecPoint)).contents);
  const [n, e] = [CK.modulus, CK.publicExponent].map((type) => read(type).toString("base64url"));
  return createPublicKey({ key: { kty: "RSA", n: n ?? "", e: e ?? "" }, format: "jwk" }).export({
    type: "spki",
    format: "der",
  });
}

const ecSpki = (parameters: Buffer, point: Buffer): Buffer =>
  sequence(sequence(EC_PUBLIC_KEY, parameters), bitString(point));

/** r and s one after the other, as tokens sign, in DER (RFC 3279 §2.2.3). */
function concatToDer(signature: Buffer): Buffer {
  const half = signature.length / 2;
  const whole = (bytes: Buffer): Buffer => integer(bytes.toString("hex").replace(/^(00)+(?=..)/, ""));
  return sequence(whole(signature.subarray(0, half)), whole(signature.subarray(half)));
}

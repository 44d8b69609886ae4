import { createPrivateKey } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { formatInstant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import type { AuthorityCertificate } from "./authority.ts";
import { Issuer } from "./issuer.ts";
import { makePrivateFolder, readIfThere, writeWhole } from "./key-files.ts";
import { seal, type Sealing, unseal } from "./keys/seal.ts";
import { AUTHORITY_KEY_TYPES, generateKey, memoryKey, type SigningKey } from "./keys/signing-key.ts";
import { type Making, signIssuing, signRoot } from "./new-authority.ts";
import { certificatesIn, certificatesPem, toPem } from "./pem.ts";
import { readAuthority } from "./read-authority.ts";
import { readCsr } from "./read-csr.ts";

/** Files of an offline root: its certificate, its key (sealed, or the URI of one in a token), and copies of all it signed. */
const FILES = { certificate: "root.crt", key: "root.key", signed: "signed" } as const;

/** An offline root with its key at hand. */
export type OfflineRoot = { readonly certificate: AuthorityCertificate; readonly key: SigningKey };

/** A new root's key: one that is sealed into the folder, or one in a token, by its URI without PIN. */
export type RootKey =
  | { readonly in: "folder"; readonly sealing: Sealing }
  | { readonly in: "token"; readonly key: SigningKey; readonly uri: string };

const KEYS = `Keys of authorities are ${AUTHORITY_KEY_TYPES.join(", ")}.`;

/** Makes a root in a folder. Refuses with FILE_UNREADABLE where one is there: it is never written over. */
export async function makeOfflineRoot(
  folder: string,
  key: RootKey,
  making: Making,
): Promise<Result<AuthorityCertificate>> {
  const [certificatePath, keyPath] = [join(folder, FILES.certificate), join(folder, FILES.key)];
  if (existsSync(certificatePath) || existsSync(keyPath))
    return refuse("FILE_UNREADABLE", "--out", `There is a root in ${folder} already.`, "Name another folder.");
  const made = key.in === "folder" ? generateKey(making.profiles.root.keyType) : undefined;
  const signing = made ? memoryKey(made) : (key as Extract<RootKey, { in: "token" }>).key;
  const root = await signRoot(making, signing);
  makePrivateFolder(folder);
  writeWhole(keyPath, await keptKey(key, made?.export({ type: "pkcs8", format: "pem" }).toString()), 0o600);
  writeWhole(certificatePath, certificatesPem([root.der]), 0o644);
  return ok(root);
}

const keptKey = (key: RootKey, pem = ""): Promise<string> =>
  key.in === "folder" ? seal(pem, key.sealing) : Promise.resolve(`${key.uri}\n`);

/** How a root's key is opened: what seals it, or the token that a URI names. */
export type RootOpeners = {
  readonly sealing: () => Result<Sealing>;
  readonly token: (uri: string) => Promise<Result<SigningKey>>;
};

/** Opens the root in a folder. Refuses with FILE_UNREADABLE where there is none, and where its key is not opened by that. */
export async function openOfflineRoot(folder: string, openers: RootOpeners): Promise<Result<OfflineRoot>> {
  const [pem, kept] = [FILES.certificate, FILES.key].map((name) => readIfThere(join(folder, name)));
  const [der] = pem === undefined ? [] : (certificatesIn(pem) ?? []);
  if (!der || kept === undefined)
    return refuse("FILE_UNREADABLE", "--root", `There is no root in ${folder}.`, "Make one: `signet ca init`.");
  const certificate = readAuthority(der, undefined);
  if (!certificate.ok) return certificate;
  const key = kept.startsWith("pkcs11:") ? await openers.token(kept.trim()) : await unsealed(folder, kept, openers);
  return key.ok ? ok({ certificate: certificate.value, key: key.value }) : key;
}

async function unsealed(folder: string, kept: string, { sealing }: RootOpeners): Promise<Result<SigningKey>> {
  const by = sealing();
  if (!by.ok) return by;
  const pem = await unseal(kept, by.value);
  if (pem !== undefined) return ok(memoryKey(createPrivateKey(pem)));
  const path = join(folder, FILES.key);
  return refuse("FILE_UNREADABLE", "--root", `${path} cannot be opened: another passphrase, or a damaged file.`);
}

/**
 * Certifies the key of a request for an issuing authority of the root's own trust domain, and keeps a copy beside the root.
 * Gives the chain, the root last, and the root's revocation list: verifiers that check a whole chain want one of every issuer.
 * It is empty, and newer with every authority. Of the request the key counts alone; refuses with CSR_INVALID where it is not proved, and
 * with AUTHORITY_UNAVAILABLE where the root does not hold now.
 */
export async function signByRoot(
  folder: string,
  { certificate, key }: OfflineRoot,
  request: string,
  making: Omit<Making, "trustDomain">,
): Promise<Result<{ readonly issuing: AuthorityCertificate; readonly chain: string }>> {
  const asked = await readCsr(request);
  if (!asked.ok) return asked;
  const { notBefore, notAfter } = certificate.window;
  if (making.now < notBefore || making.now >= notAfter)
    return refuse(
      "AUTHORITY_UNAVAILABLE",
      "--root",
      `The root holds from ${formatInstant(notBefore)} to ${formatInstant(notAfter)}, and not now.`,
      "Make a new one: `signet ca init`. Is this machine's clock right?",
    );
  const { keyType } = asked.value;
  if (!AUTHORITY_KEY_TYPES.some((each) => each === keyType))
    return refuse("KEY_TYPE_REFUSED", "csr", `An authority's key is not of type ${keyType}.`, KEYS);
  const spki = Buffer.from(asked.value.spki);
  const issuing = await signIssuing(
    { ...making, trustDomain: certificate.trustDomain },
    { spki },
    { certificate, key },
  );
  const { notBefore: thisUpdate } = issuing.window;
  const number = Math.floor(thisUpdate / 1000);
  const list = await new Issuer(certificate, key).signList({ number, thisUpdate, nextUpdate: notAfter, revoked: [] });
  makePrivateFolder(join(folder, FILES.signed));
  writeWhole(join(folder, FILES.signed, `${issuing.keyId}.crt`), certificatesPem([issuing.der]), 0o644);
  return ok({ issuing, chain: `${certificatesPem([issuing.der, certificate.der])}${toPem("X509 CRL", list)}` });
}

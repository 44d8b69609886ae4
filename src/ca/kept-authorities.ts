import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Instant } from "../domain/instant.ts";
import { readIfThere, writeWhole } from "./key-files.ts";
import type { Signed, Window } from "./serving-certificates.ts";

/** The authority that signs now, and all that callers are to trust, the signing one first. */
export type KeptAuthorities = { readonly signer: Signed; readonly trusted: readonly Signed[] };

/** Shares of its life that an authority has left when its heir is made known, and when the heir takes over. */
const LEFT = { known: 0.2, over: 0.1 } as const;

const NEXT = "authority-next.pem";
const CURRENT = "authority.pem";

/**
 * The authorities of serving certificates in a folder, made where there is none (key and certificate in one file so that no
 * crash parts them, mode 0600). One that nears its end gets an heir, which callers may trust long before it signs. Throws,
 * naming the file, where there is one that cannot sign: a new one in its place would be a stranger to every caller.
 */
export async function keptAuthorities(
  folder: string,
  now: Instant,
  make: () => Promise<Signed & Window>,
): Promise<KeptAuthorities> {
  const current = readAuthority(join(folder, CURRENT));
  if (!current) {
    const first = await make();
    write(folder, CURRENT, first);
    return { signer: first, trusted: [first] };
  }
  if (shareLeft(current, now) > LEFT.known) return { signer: current, trusted: [current] };
  const heir = await heirOf(folder, current, make);
  if (shareLeft(current, now) > LEFT.over) return { signer: current, trusted: [current, heir] };
  write(folder, CURRENT, heir);
  rmSync(join(folder, NEXT), { force: true });
  return { signer: heir, trusted: now < current.notAfter ? [heir, current] : [heir] };
}

/** The one that was made before; what a crash left of it after it took over counts for nothing. */
async function heirOf(folder: string, current: Signed, make: () => Promise<Signed & Window>): Promise<Signed> {
  const known = readAuthority(join(folder, NEXT));
  if (known && known.certificate !== current.certificate) return known;
  const heir = await make();
  write(folder, NEXT, heir);
  return heir;
}

const write = (folder: string, name: string, { key, certificate }: Signed): void =>
  writeWhole(join(folder, name), `${key}\n${certificate}`, 0o600);

const shareLeft = ({ notBefore, notAfter }: Window, now: Instant): number =>
  (notAfter - now) / Math.max(1, notAfter - notBefore);

function readAuthority(path: string): (Signed & Window) | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  if (text.trim() === "") throw new Error(`${path} is empty`);
  const start = text.indexOf("-----BEGIN CERTIFICATE-----");
  if (start === -1) throw new Error(`${path} holds no certificate`);
  const [key, certificate] = [text.slice(0, start).trim(), text.slice(start)];
  const read = certificateIn(path, certificate);
  if (!read.checkPrivateKey(keyIn(path, key))) throw new Error(`the key in ${path} is not its certificate's`);
  return { key, certificate, notBefore: Date.parse(read.validFrom), notAfter: Date.parse(read.validTo) };
}

function certificateIn(path: string, certificate: string): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (cause) {
    throw new Error(`the certificate in ${path} cannot be read`, { cause });
  }
}

function keyIn(path: string, key: string): KeyObject {
  try {
    return createPrivateKey(key);
  } catch (cause) {
    throw new Error(`the private key in ${path} cannot be read`, { cause });
  }
}

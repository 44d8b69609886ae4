import { problemLine } from "../domain/problem.ts";
import {
  activeOf,
  type AuthoritySet,
  bundleRoots,
  isTrusted,
  NO_AUTHORITIES,
} from "../reconcile/authority/authority-set.ts";
import type { AuthorityBook } from "../wire/authority-book.ts";
import type { AuthorityCertificate } from "./authority.ts";
import type { Bundle } from "./bundle.ts";
import { keyIdOf } from "./der/extensions.ts";
import { Issuer } from "./issuer.ts";
import type { KeyStore } from "./keys/key-store.ts";
import { readAuthority } from "./read-authority.ts";
import { readCertificate } from "./read-certificate.ts";
import type { TrustAnchors } from "./verify-svid.ts";

/** The book of a trust domain that has no authority yet. */
export const emptyBook = (trustDomain: string): AuthorityBook => ({
  version: "signet.dev/authorities/v1",
  trustDomain,
  set: copyOf(NO_AUTHORITIES),
  material: {},
});

/** A set that may be changed, of one that may not. */
export const copyOf = (set: AuthoritySet): AuthorityBook["set"] => ({ ...set, authorities: [...set.authorities] });

/** What a book holds, opened. */
export type OpenBook = {
  /** All that are trusted and whose keys are here: they sign revocation lists. */
  readonly trusted: readonly Issuer[];
  /** Revocation lists of the trusted roots that left one behind; DER. */
  readonly rootLists: readonly Buffer[];
  readonly bundle: Bundle;
  /** What goes with leaves of each authority whose root is in the bundle, DER, the active one's first. */
  readonly chains: readonly (readonly Buffer[])[];
  /** What callers' certificates are believed by: the bundle's roots, and no key that is in wrong hands. */
  readonly anchors: TrustAnchors | undefined;
};

/** Opens a book; authorities that were opened before stay open. Throws where a part of it cannot be understood. */
export function openBook(book: AuthorityBook, keys: KeyStore, before: readonly Issuer[]): OpenBook {
  const { trustDomain, set } = book;
  const roots = rootsIn(book);
  return {
    trusted: trustedIn(book, keys, before),
    rootLists: rootListsIn(book),
    bundle: { trustDomain, roots, sequence: set.sequence },
    chains: chainsIn(book),
    anchors: { trustDomain, roots: roots.map(({ der }) => der), compromised: compromisedIn(book) },
  };
}

/** What goes with leaves of an authority, its own certificate first; DER. */
const chainOf = ({ material }: AuthorityBook, id: string): readonly Buffer[] =>
  (material[id]?.chain ?? []).map((each) => Buffer.from(each, "base64"));

/** An authority with its key; throws where the book has none. */
function issuerIn(book: AuthorityBook, id: string, keys: KeyStore): Issuer {
  const chain = chainOf(book, id);
  const key = book.material[id]?.key;
  if (key === undefined || !chain[0]) throw new Error(`the key of authority ${id} is not in the vault`);
  const certificate = mustRead(chain[0], book.trustDomain);
  return new Issuer(certificate, keys.open(key, readCertificate(chain[0]).spki.whole), chain);
}

/** All that are trusted and whose keys are here; those that were opened before stay open. */
function trustedIn(book: AuthorityBook, keys: KeyStore, opened: readonly Issuer[]): readonly Issuer[] {
  const known = new Map(opened.map((issuer) => [issuer.facts.keyId, issuer]));
  return book.set.authorities
    .filter((each) => isTrusted(each) && (each.state === "active" || book.material[each.id]?.key !== undefined))
    .map(({ id }) => known.get(id) ?? issuerIn(book, id, keys));
}

/** Revocation lists of the trusted roots that left one behind, of each the one that came last; DER. */
function rootListsIn({ set, material }: AuthorityBook): readonly Buffer[] {
  const lists = set.authorities.filter(isTrusted).flatMap(({ id, root }): readonly (readonly [string, string])[] => {
    const list = material[id]?.rootList;
    return list === undefined ? [] : [[root, list]];
  });
  return [...new Map(lists).values()].map((list) => Buffer.from(list, "base64"));
}

/** Roots of all authorities that are kept, whether in the bundle or not. */
export const knownRootsIn = ({
  set,
  material,
}: AuthorityBook): readonly Pick<AuthorityCertificate, "keyId" | "der">[] =>
  set.authorities.flatMap(({ id, root }) => {
    const kept = material[id];
    return kept ? [{ keyId: root, der: Buffer.from(kept.root, "base64") }] : [];
  });

/** The roots in the bundle. */
function rootsIn(book: AuthorityBook): readonly AuthorityCertificate[] {
  const wanted = bundleRoots(book.set);
  const roots = book.set.authorities.flatMap(({ id, root }) => {
    const material = book.material[id];
    return material ? [[root, Buffer.from(material.root, "base64")] as const] : [];
  });
  const ders = new Map(roots);
  return wanted.flatMap((root) => {
    const der = ders.get(root);
    return der ? [mustRead(der, book.trustDomain)] : [];
  });
}

/** What goes with leaves of each authority whose root is in the bundle, the active one's first. */
function chainsIn(book: AuthorityBook): readonly (readonly Buffer[])[] {
  const active = activeOf(book.set);
  const others = book.set.authorities.filter((each) => isTrusted(each) && each !== active);
  return [...(active ? [active] : []), ...others].map(({ id }) => chainOf(book, id));
}

/** Keys in wrong hands, each as its key identifier (RFC 7093 §2, method 1). What any of them signed proves nothing. */
const compromisedIn = (book: AuthorityBook): readonly string[] =>
  book.set.authorities
    .filter(({ compromised }) => compromised)
    .flatMap(({ id }) => chainOf(book, id).slice(0, 1))
    .map((der) => keyIdOf(readCertificate(der).spki.whole).toString("hex"));

/** Keys of authorities that sign no more are forgotten, but for one that may be taken back; those that are gone, whole. */
export const keptOf = (material: AuthorityBook["material"], { authorities }: AuthoritySet): AuthorityBook["material"] =>
  Object.fromEntries(
    authorities.flatMap(({ id, state, compromised }) => {
      const { key, ...rest } = material[id] ?? { root: "", chain: [] };
      const over = state === "revoked" || (compromised !== undefined && state === "tainted");
      return [[id, over || key === undefined ? rest : { ...rest, key }]];
    }),
  );

/** What an authority brings that is prepared: its root, what goes with its leaves, and its key as the vault keeps it. */
export type NewMaterial = {
  readonly root: AuthorityCertificate;
  /** DER; an offline root may have sent none. */
  readonly rootList?: Buffer;
  readonly chain: readonly Buffer[];
  readonly key: string;
};

/** That as the book has it, under the authority's identifier. */
export const storedAs = (id: string, { root, rootList, chain, key }: NewMaterial): AuthorityBook["material"] => ({
  [id]: {
    root: root.der.toString("base64"),
    ...(rootList ? { rootList: rootList.toString("base64") } : {}),
    chain: chain.map((der) => der.toString("base64")),
    key,
  },
});

function mustRead(der: Buffer, trustDomain: string): AuthorityCertificate {
  const read = readAuthority(der, trustDomain);
  if (!read.ok) throw new Error(read.problems.map(problemLine).join("; "));
  return read.value;
}

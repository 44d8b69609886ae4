import { createPrivateKey, hash } from "node:crypto";
import type { Profiles } from "../domain/certificate.ts";
import type { Instant } from "../domain/instant.ts";
import { ok, problem, problemLine, refuseAll, type Result } from "../domain/problem.ts";
import {
  activeOf,
  type AuthoritySet,
  bundleRoots,
  isTrusted,
  NO_AUTHORITIES,
  standingOf,
} from "../reconcile/authority/authority-set.ts";
import { type NextStep, nextStep } from "../reconcile/authority/next-step.ts";
import type { Pace } from "../reconcile/authority/pace.ts";
import { makeStep, type Step, type World } from "../reconcile/authority/steps.ts";
import { type AuthorityBook, readAuthorityBook, renderAuthorityBook } from "../wire/authority-book.ts";
import type { AuthorityRecord, NewCertificate } from "../wire/authority-record.ts";
import type { AuthorityCertificate } from "./authority.ts";
import type { Bundle } from "./bundle.ts";
import { Issuer } from "./issuer.ts";
import { memoryKey, type SigningKey } from "./keys/signing-key.ts";
import { makeAuthorityPair } from "./new-authority.ts";
import { readAuthority } from "./read-authority.ts";
import type { Vault } from "./vault.ts";

/** What a keeper is handed in. */
export type KeeperParts = {
  readonly vault: Vault;
  readonly trustDomain: string;
  readonly profiles: Profiles;
  readonly pace: Pace;
  readonly now: () => Instant;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number;
  readonly random: (bytes: number) => Uint8Array;
  /** The lowest sequence number of the bundle that every place of publication is known to have. */
  readonly served: () => number;
  /** Readers that were looked at and lack the root of an authority. */
  readonly lacking: (id: string) => readonly string[];
  /** Resolves when a step is durable in the ledger; a step is recorded before it is made. */
  readonly record: (record: AuthorityRecord) => Promise<void>;
  /** Opens a key that does not lie in the vault. */
  readonly openKey?: (reference: string) => SigningKey;
};

/** What all doors see: one frozen snapshot. */
export type Authorities = {
  readonly set: AuthoritySet;
  /** Undefined where none is active, or where the snapshot is too old to sign by. */
  readonly issuer: Issuer | undefined;
  /** All that are trusted and whose keys are here: they sign revocation lists. */
  readonly trusted: readonly Issuer[];
  /** Revocation lists of the trusted roots that left one behind; DER. */
  readonly rootLists: readonly Buffer[];
  readonly bundle: Bundle;
};

/** A replica that has not read the vault for so long does not sign: it may have missed that its authority was revoked. */
const STALE_MS = 5 * 60_000;

/**
 * Keeps a trust domain's authorities in a vault and makes the steps of their rotation. Every change is one write that names
 * what it was made from, so that of two writers one loses and reads again; what is active is what the vault says.
 */
export class AuthorityKeeper {
  readonly #parts: KeeperParts;
  #book: AuthorityBook;
  #version = "";
  #readAt = Number.NEGATIVE_INFINITY;
  #trusted: readonly Issuer[] = [];
  #bundle: Bundle;
  /** Since when, by the clock that never jumps, an authority has been seen in its state. */
  readonly #seen = new Map<string, number>();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#book = emptyBook(parts.trustDomain);
    this.#bundle = { trustDomain: parts.trustDomain, roots: [], sequence: 0 };
  }

  current(): Authorities {
    const stale = this.#parts.monotonic() - this.#readAt > STALE_MS;
    const active = activeOf(this.#book.set)?.id;
    return {
      set: this.#book.set,
      issuer: stale ? undefined : this.#trusted.find(({ facts }) => facts.keyId === active),
      trusted: stale ? [] : this.#trusted,
      rootLists: this.#rootLists(),
      bundle: this.#bundle,
    };
  }

  /** Reads the vault. Rejects where it cannot be read, or holds what is not to be understood. */
  async refresh(): Promise<void> {
    const { text, version } = await this.#parts.vault.read();
    const read = text === undefined ? ok(emptyBook(this.#parts.trustDomain)) : readAuthorityBook(text);
    if (!read.ok) throw new Error(read.problems.map(problemLine).join("; "));
    if (read.value.trustDomain !== this.#parts.trustDomain)
      throw new Error(`the authorities kept are of trust domain ${read.value.trustDomain}`);
    this.#take(read.value, version);
  }

  /** Makes the next step that moves by itself, as the one writer. Gives the step, or undefined where there was none. */
  async work(): Promise<NextStep | undefined> {
    const next = nextStep(this.#book.set, this.#world());
    if (!next) return undefined;
    const made = next.step === "make" ? await this.#make() : await this.step(next);
    return made.ok ? next : undefined;
  }

  /** Makes a step that somebody asked for, guarded like any other. API_CONFLICT where another writer was first. */
  async step(step: Step, material?: AuthorityBook["material"]): Promise<Result<AuthoritySet>> {
    const made = makeStep(this.#book.set, step, this.#world());
    if (!made.ok) return made;
    const all = { ...this.#book.material, ...material };
    const book: AuthorityBook = { ...this.#book, set: copyOf(made.value), material: kept(all, made.value) };
    const record = recordOf(step, made.value, material);
    await this.#parts.record(record);
    if (await this.#parts.vault.write(renderAuthorityBook(book), this.#version)) {
      await this.refresh();
      return ok(this.#book.set);
    }
    await this.#parts.record({ ...record, lost: true });
    await this.refresh();
    return refuseAll([problem("API_CONFLICT", "", "Another replica changed the authorities first.", "Try again.")]);
  }

  async #make(): Promise<Result<AuthoritySet>> {
    const { trustDomain, profiles, random } = this.#parts;
    const pair = await makeAuthorityPair({ trustDomain, profiles, random, now: this.#parts.now() });
    const { keyId: id, window } = pair.issuing;
    const key = pair.key.export({ type: "pkcs8", format: "pem" }).toString();
    const chain = [pair.issuing.der.toString("base64")];
    const [root, rootList] = [pair.root.der.toString("base64"), pair.rootList.toString("base64")];
    const material = { [id]: { root, rootList, chain, key } };
    return this.step({ step: "prepare", authority: { id, root: pair.root.keyId, window } }, material);
  }

  #take(book: AuthorityBook, version: string): void {
    const known = new Map(this.#trusted.map((issuer) => [issuer.facts.keyId, issuer]));
    this.#trusted = book.set.authorities
      .filter((each) => isTrusted(each) && (each.state === "active" || book.material[each.id]?.key !== undefined))
      .map(({ id }) => known.get(id) ?? this.#issuerOf(book, id));
    this.#bundle = { trustDomain: book.trustDomain, roots: this.#rootsOf(book), sequence: book.set.sequence };
    this.#book = book;
    this.#version = version;
    this.#readAt = this.#parts.monotonic();
    const standing = new Set(book.set.authorities.map(standingOf));
    for (const each of standing) if (!this.#seen.has(each)) this.#seen.set(each, this.#readAt);
    for (const each of this.#seen.keys()) if (!standing.has(each)) this.#seen.delete(each);
  }

  #issuerOf(book: AuthorityBook, id: string): Issuer {
    const { chain = [], key } = book.material[id] ?? {};
    const ders = chain.map((each) => Buffer.from(each, "base64"));
    if (key === undefined || !ders[0]) throw new Error(`the key of authority ${id} is not in the vault`);
    return new Issuer(mustRead(ders[0], book.trustDomain), this.#keyOf(key), ders);
  }

  #rootLists(): readonly Buffer[] {
    const { set, material } = this.#book;
    const lists = set.authorities.filter(isTrusted).flatMap(({ id }) => material[id]?.rootList ?? []);
    return [...new Set(lists)].map((list) => Buffer.from(list, "base64"));
  }

  #keyOf(key: string): SigningKey {
    if (key.startsWith("-----BEGIN")) return memoryKey(createPrivateKey(key));
    if (!this.#parts.openKey)
      throw new Error("the authority's key lies elsewhere, and nothing is configured to open it");
    return this.#parts.openKey(key);
  }

  #rootsOf(book: AuthorityBook): readonly AuthorityCertificate[] {
    const wanted = bundleRoots(copyOf(book.set));
    const ders = new Map(
      book.set.authorities.flatMap(({ id, root }) => {
        const material = book.material[id];
        return material ? [[root, Buffer.from(material.root, "base64")] as const] : [];
      }),
    );
    return wanted.flatMap((root) => {
      const der = ders.get(root);
      return der ? [mustRead(der, book.trustDomain)] : [];
    });
  }

  #world(): World {
    const { now, pace, served, lacking, monotonic } = this.#parts;
    const watchedMs = (id: string): number => {
      const found = this.#book.set.authorities.find((each) => each.id === id);
      return found ? monotonic() - (this.#seen.get(standingOf(found)) ?? monotonic()) : 0;
    };
    return { now: now(), pace, served: served(), lacking, watchedMs };
  }
}

/** What the ledger says of a step: where all stand after it, and the certificates that it brings. */
function recordOf(step: Step, set: AuthoritySet, material: AuthorityBook["material"] = {}): AuthorityRecord {
  const brought = Object.entries(material).flatMap(
    ([
      id,
      {
        root,
        chain: [issuing = ""],
      },
    ]): NewCertificate[] => [
      { what: "root", id: set.authorities.find((each) => each.id === id)?.root ?? "", sha256: digestOf(root) },
      { what: "issuing", id, sha256: digestOf(issuing) },
    ],
  );
  return {
    step: step.step,
    ...("id" in step ? { id: step.id } : {}),
    sequence: set.sequence,
    authorities: set.authorities.map(({ id, state }) => ({ id, state })),
    certificates: brought,
  };
}

const digestOf = (base64: string): string => hash("sha256", Buffer.from(base64, "base64"));

const emptyBook = (trustDomain: string): AuthorityBook => ({
  version: "signet.dev/authorities/v1",
  trustDomain,
  set: copyOf(NO_AUTHORITIES),
  material: {},
});

/** A set that may be changed, of one that may not. */
const copyOf = (set: AuthoritySet): AuthorityBook["set"] => ({ ...set, authorities: [...set.authorities] });

/** Keys of authorities that sign no more are forgotten, but for one that may be taken back; those that are gone, whole. */
function kept(material: AuthorityBook["material"], { authorities }: AuthoritySet): AuthorityBook["material"] {
  return Object.fromEntries(
    authorities.flatMap(({ id, state }) => {
      const { key, ...rest } = material[id] ?? { root: "", chain: [] };
      return [[id, state === "revoked" || key === undefined ? rest : { ...rest, key }]];
    }),
  );
}

function mustRead(der: Buffer, trustDomain: string): AuthorityCertificate {
  const read = readAuthority(der, trustDomain);
  if (!read.ok) throw new Error(read.problems.map(problemLine).join("; "));
  return read.value;
}

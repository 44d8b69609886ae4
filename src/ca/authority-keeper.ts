import type { Profiles } from "../domain/certificate.ts";
import type { Instant } from "../domain/instant.ts";
import { ok, problem, problemLine, refuse, refuseAll, type Result } from "../domain/problem.ts";
import { activeOf, type AuthoritySet, type AuthorityState, standingOf } from "../reconcile/authority/authority-set.ts";
import { type NextStep, nextStep } from "../reconcile/authority/next-step.ts";
import type { Pace } from "../reconcile/authority/pace.ts";
import { makeStep, type Step, type World } from "../reconcile/authority/steps.ts";
import type { AuthorityRecord } from "../wire/authority-record.ts";
import { type AuthorityBook, readAuthorityBook, renderAuthorityBook } from "../wire/authority-book.ts";
import { authorityRequest } from "./authority-request.ts";
import { keyIdOf } from "./der/extensions.ts";
import type { Issuer } from "./issuer.ts";
import type { KeyStore } from "./keys/key-store.ts";
import { makeAuthorityPair } from "./new-authority.ts";
import {
  copyOf,
  emptyBook,
  keptOf,
  knownRootsIn,
  type NewMaterial,
  type OpenBook,
  openBook,
  storedAs,
} from "./open-book.ts";
import { certificatesIn } from "./pem.ts";
import { readAuthorityChain } from "./read-chain.ts";
import { readCsr } from "./read-csr.ts";
import { recordOf } from "./record-of-step.ts";
import type { Vault } from "./vault.ts";

/** What a keeper is handed in. */
export type KeeperParts = {
  readonly vault: Vault;
  readonly keys: KeyStore;
  readonly trustDomain: string;
  readonly profiles: Profiles;
  readonly pace: () => Pace;
  /** Whether roots may be made here; where not, every chain comes from an offline root. */
  readonly ownRoots: boolean;
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
};

/** What all doors see: one frozen snapshot. One that is too old neither signs nor says whom to believe. */
export type Authorities = OpenBook & {
  readonly set: AuthoritySet;
  /** Undefined where none is active. */
  readonly issuer: Issuer | undefined;
};

/**
 * A replica that has not read the vault for so long does not sign, and believes no certificate: it may have missed that an
 * authority was revoked, or its key stolen.
 */
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
  #opened: OpenBook;
  /** Since when, by the clock that never jumps, an authority has been seen in its state. */
  readonly #seen = new Map<string, number>();

  constructor(parts: KeeperParts) {
    const { trustDomain } = parts;
    this.#parts = parts;
    this.#book = emptyBook(trustDomain);
    this.#opened = openBook(this.#book, parts.keys, []);
  }

  current(): Authorities {
    const stale = this.#parts.monotonic() - this.#readAt > STALE_MS;
    const { trusted, anchors } = stale ? { trusted: [], anchors: undefined } : this.#opened;
    const active = activeOf(this.#book.set)?.id;
    const issuer = trusted.find(({ facts }) => facts.keyId === active);
    return { set: this.#book.set, ...this.#opened, issuer, trusted, anchors };
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
    const next = nextStep(this.#book.set, this.world());
    if (!next) return undefined;
    const made = next.step === "make" ? await this.#make() : await this.step(next);
    return made.ok ? next : undefined;
  }

  /** Makes a step that somebody asked for, guarded like any other. API_CONFLICT where another writer was first. */
  step(step: Step): Promise<Result<AuthoritySet>> {
    return this.#write(step, {});
  }

  /**
   * The request (PKCS#10, DER) by which an offline root certifies the next authority: of the key that waits already, or of a
   * new one. ROTATION_REFUSED while an authority is on its way.
   */
  async requestChain(): Promise<Result<Buffer>> {
    const known = this.#book.request;
    if (this.#book.set.awaiting && known) return ok(Buffer.from(known.csr, "base64"));
    const { keys, profiles, trustDomain } = this.#parts;
    const made = await keys.make(profiles.issuing.keyType);
    const csr = await authorityRequest({ trustDomain, profile: profiles.issuing }, made.key);
    const request = { key: made.kept, csr: csr.toString("base64") };
    const id = keyIdOf(made.key.spki).toString("hex");
    const written = await this.#write({ step: "awaitChain", id }, { request, made: made.kept });
    return written.ok ? ok(csr) : written;
  }

  /**
   * Takes the chain, PEM, by which the offline root certified the key that waits: verified whole, the authority is prepared,
   * and the rotation goes on by itself. AUTHORITY_INVALID with the rule that it breaks; a chain that was taken already is
   * taken again, for whoever asked may not have heard the answer, until its authority signs no more.
   */
  async importChain(pem: string): Promise<Result<AuthoritySet>> {
    const { request } = this.#book;
    const { trustDomain, profiles, now } = this.#parts;
    const state = this.#stateOf(pem);
    if (state === "tainted" || state === "revoked")
      return refuse("ROTATION_REFUSED", "chain", `The authority of this chain is ${state} already.`, FRESH);
    if (state) return ok(this.#book.set);
    if (!request) return refuse("ROTATION_REFUSED", "chain", NO_REQUEST, FRESH);
    const key = await readCsr(Buffer.from(request.csr, "base64"));
    if (!key.ok) return key;
    const roots = this.#opened.bundle.roots.map(({ der }) => der);
    const known = knownRootsIn(this.#book);
    const terms = { trustDomain, profiles, spki: Buffer.from(key.value.spki), now: now(), roots, known };
    const read = await readAuthorityChain(pem, terms);
    if (!read.ok) return read;
    const { issuing, ...material } = read.value;
    const authority = { id: issuing.keyId, root: material.root.keyId, window: issuing.window, offline: true } as const;
    return this.#write({ step: "prepare", authority }, { material: { ...material, key: request.key } });
  }

  /** What steps are judged by. */
  world(): World {
    const { now, pace, ownRoots, served, lacking, monotonic } = this.#parts;
    const watchedMs = (id: string): number => {
      const found = this.#book.set.authorities.find((each) => each.id === id);
      return found ? monotonic() - (this.#seen.get(standingOf(found)) ?? monotonic()) : 0;
    };
    return { now: now(), pace: pace(), ownRoots, served: served(), lacking, watchedMs };
  }

  async #make(): Promise<Result<AuthoritySet>> {
    const { trustDomain, profiles, random, keys } = this.#parts;
    const made = await keys.make(profiles.issuing.keyType);
    const { root, rootList, issuing } = await makeAuthorityPair(
      { trustDomain, profiles, random, now: this.#parts.now() },
      made.key,
    );
    const authority = { id: issuing.keyId, root: root.keyId, window: issuing.window };
    const material = { root, rootList, chain: [issuing.der], key: made.kept };
    return this.#write({ step: "prepare", authority }, { material, made: made.kept });
  }

  /**
   * One write: the step, and what it brings. A key that was made for it and is not written is destroyed; one that may have
   * been written is not.
   */
  async #write(step: Step, { material, request, made }: Brought): Promise<Result<AuthoritySet>> {
    const unmade = async (): Promise<void> => {
      if (made !== undefined) await this.#parts.keys.forget(made);
    };
    const moved = makeStep(this.#book.set, step, this.world());
    if (!moved.ok) return unmade().then(() => moved);
    const brought = material && step.step === "prepare" ? storedAs(step.authority.id, material) : {};
    const all = { ...this.#book.material, ...brought };
    const before = { ...this.#book, material: all };
    const next = bookOf(before, moved.value, request);
    const record = recordOf(step, moved.value, brought);
    await this.#parts.record(record).catch((fault: unknown) => unmade().then(() => Promise.reject(fault)));
    const written = await this.#parts.vault.write(renderAuthorityBook(next), this.#version);
    if (written) await this.#forgetAll(before, next);
    else await Promise.all([this.#parts.record({ ...record, lost: true }), unmade()]);
    await this.refresh();
    if (written) return ok(this.#book.set);
    return refuseAll([problem("API_CONFLICT", "", "Another replica changed the authorities first.", "Try again.")]);
  }

  async #forgetAll(before: Pick<AuthorityBook, "material" | "request">, after: AuthorityBook): Promise<void> {
    const kept = keysIn(after);
    for (const key of keysIn(before)) if (!kept.has(key)) await this.#parts.keys.forget(key);
  }

  /** Where the authority of a chain that was taken before stands. */
  #stateOf(pem: string): AuthorityState | undefined {
    const first = certificatesIn(pem)?.[0]?.toString("base64") ?? "";
    const kept = Object.entries(this.#book.material).find(([, { chain }]) => chain[0] === first);
    return kept && this.#book.set.authorities.find(({ id }) => id === kept[0])?.state;
  }

  #take(book: AuthorityBook, version: string): void {
    this.#opened = openBook(book, this.#parts.keys, this.#opened.trusted);
    this.#book = book;
    this.#version = version;
    this.#readAt = this.#parts.monotonic();
    const standing = new Set(book.set.authorities.map(standingOf));
    for (const each of standing) if (!this.#seen.has(each)) this.#seen.set(each, this.#readAt);
    for (const each of this.#seen.keys()) if (!standing.has(each)) this.#seen.delete(each);
  }
}

const NO_REQUEST = "No key waits for a chain.";
const FRESH = "Ask for a request with `signet ca csr`, and sign that.";

type Brought = {
  readonly material?: NewMaterial;
  readonly request?: NonNullable<AuthorityBook["request"]>;
  /** What the vault is to keep of a key that was made for this step. */
  readonly made?: string;
};

/** The book after a step; a request is kept for as long as its key waits. */
function bookOf(
  { request: known, material, ...book }: AuthorityBook,
  set: AuthoritySet,
  brought: AuthorityBook["request"],
): AuthorityBook {
  const request = set.awaiting && (known ?? brought);
  return { ...book, set: copyOf(set), material: keptOf(material, set), ...(request ? { request } : {}) };
}

/** What the vault keeps of all keys in a book. */
const keysIn = ({ material, request }: Pick<AuthorityBook, "material" | "request">): ReadonlySet<string> =>
  new Set([...Object.values(material), ...(request ? [request] : [])].flatMap(({ key }) => key ?? []));

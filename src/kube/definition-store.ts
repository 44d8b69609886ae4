import { createHash } from "node:crypto";
import type { Definitions } from "../domain/catalogue.ts";
import type { Problem, Result } from "../domain/problem.ts";
import { readDefinitions } from "../wire/definitions.ts";
import type { Raw } from "../wire/read-object.ts";
import { liveObject } from "./live-object.ts";
import { isLater, uidOf, versionOf } from "./object-cache.ts";

/** An object of ours whose spec cannot be read, and what stands in for it meanwhile. */
export type Unreadable = {
  /** `KIND/NAMESPACE/NAME`. */
  readonly object: string;
  readonly problems: readonly Problem[];
  readonly instead: "the approved generation" | "the last readable version" | "nothing";
};

type Entry = {
  readonly uid: string;
  readonly version: string;
  /** What counts, and the version of the object that it was read from. */
  readonly good?: { readonly definitions: Definitions; readonly version: string };
  readonly unreadable?: Unreadable;
};

/**
 * Definitions by the object they come from, so that one changed object costs one reading. An object that cannot be read
 * does not take its last good version out of force.
 */
export class DefinitionStore {
  readonly #entries = new Map<string, Entry>();
  #digest: Uint8Array = new Uint8Array(16);

  /** Takes an object in, unless a newer version of it is there. */
  put(raw: Raw): void {
    const key = liveObject(raw).document.file;
    const before = this.#entries.get(key);
    if (before && !isLater(versionOf(raw), before.version)) return;
    this.#set(key, entryOf(raw, before));
  }

  /** Takes an object out; another one that came under its name stays. */
  remove(raw: Raw): void {
    const key = liveObject(raw).document.file;
    if (this.#entries.get(key)?.uid === uidOf(raw)) this.#set(key, undefined);
  }

  /** Takes a whole listing of a kind as the state of things: a restored server counts from a lower version. */
  replaceKind(kind: string, objects: readonly Raw[]): void {
    const listed = new Map(objects.map((raw) => [liveObject(raw).document.file, raw]));
    for (const key of this.#entries.keys())
      if (key.startsWith(`${kind}/`) && !listed.has(key)) this.#set(key, undefined);
    for (const [key, raw] of listed) {
      const before = this.#entries.get(key);
      if (before?.uid !== uidOf(raw) || before.version !== versionOf(raw)) this.#set(key, entryOf(raw, before));
    }
  }

  /** All that counts, put together. */
  definitions(): Definitions {
    const parts = [...this.#entries.values()].flatMap(({ good }) => (good ? [good.definitions] : []));
    const trustDomain = parts.find((part) => part.trustDomain !== undefined)?.trustDomain;
    const foreignDomains = parts.flatMap((part) => part.foreignDomains ?? []);
    return {
      ...(trustDomain === undefined ? {} : { trustDomain }),
      ...(foreignDomains.length > 0 ? { foreignDomains } : {}),
      segments: parts.flatMap((part) => part.segments),
      roles: parts.flatMap((part) => part.roles),
      namespaces: parts.flatMap((part) => part.namespaces),
      exceptions: parts.flatMap((part) => part.exceptions),
      policies: parts.flatMap((part) => part.policies),
      guardrails: parts.flatMap((part) => part.guardrails),
      externalWorkloads: parts.flatMap((part) => part.externalWorkloads),
      restrictions: parts.flatMap((part) => part.restrictions),
    };
  }

  /** A digest of what counts: replicas that see the same objects have the same one, in whatever order they came. */
  revision(): string {
    return Buffer.from(this.#digest).toString("hex");
  }

  unreadable(): readonly Unreadable[] {
    return [...this.#entries.values()].flatMap((entry) => entry.unreadable ?? []);
  }

  #set(key: string, entry: Entry | undefined): void {
    this.#toggle(key, this.#entries.get(key));
    if (entry) this.#entries.set(key, entry);
    else this.#entries.delete(key);
    this.#toggle(key, entry);
  }

  /** Exclusive or of one digest an object: adding and taking away are the same, and the order does not matter. */
  #toggle(key: string, entry: Entry | undefined): void {
    if (!entry?.good) return;
    const own = createHash("sha256").update(`${key} ${entry.uid} ${entry.good.version}`).digest();
    this.#digest = this.#digest.map((byte, index) => byte ^ (own[index] ?? 0));
  }
}

function entryOf(raw: Raw, before: Entry | undefined): Entry {
  const [uid, version] = [uidOf(raw), versionOf(raw)];
  const object = liveObject(raw).document.file;
  const inForce = readOne(raw);
  if (inForce.ok) {
    const written = readOne(asWritten(raw));
    const good = { definitions: inForce.value, version };
    if (written.ok) return { uid, version, good };
    return {
      uid,
      version,
      good,
      unreadable: { object, problems: written.problems, instead: "the approved generation" },
    };
  }
  const last = before?.uid === uid ? before.good : undefined;
  const instead = last ? "the last readable version" : "nothing";
  return { uid, version, unreadable: { object, problems: inForce.problems, instead }, ...(last ? { good: last } : {}) };
}

const readOne = (raw: Raw): Result<Definitions> => readDefinitions([liveObject(raw)]);

/** The object as its author wrote it last, as if nothing of it had been approved: an edit is no outage, but it is reported. */
const asWritten = (raw: Raw): Raw => ({ ...raw, status: {} });

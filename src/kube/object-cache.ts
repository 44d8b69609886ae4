import { type Raw, rawAt, textAt } from "../wire/read-object.ts";

/** What happened to one object, as a cache saw it. */
export type Change =
  | { readonly type: "added"; readonly object: Raw }
  | { readonly type: "updated"; readonly object: Raw; readonly previous: Raw }
  | { readonly type: "removed"; readonly object: Raw };

/** How many deletions are remembered, so that a late event cannot bring an object back. */
const MOST_GRAVES = 4096;

/** Objects by UID. Events that come twice or too late change nothing. */
export class ObjectCache {
  #objects = new Map<string, Raw>();
  readonly #graves = new Set<string>();

  get objects(): ReadonlyMap<string, Raw> {
    return this.#objects;
  }

  /** Takes an object in, unless it is known as new or newer, or as deleted. */
  put(object: Raw): readonly Change[] {
    const uid = uidOf(object);
    const previous = this.#objects.get(uid);
    if (previous ? !isLater(versionOf(object), versionOf(previous)) : this.#graves.has(uid)) return [];
    this.#objects.set(uid, object);
    return [previous ? { type: "updated", object, previous } : { type: "added", object }];
  }

  /** Takes an object out for good: a UID never comes again. */
  remove(object: Raw): readonly Change[] {
    const uid = uidOf(object);
    this.#bury(uid);
    return this.#objects.delete(uid) ? [{ type: "removed", object }] : [];
  }

  /** Takes a whole listing instead of what was there, whatever its versions: it is how things are now. */
  replace(objects: ReadonlyMap<string, Raw>): readonly Change[] {
    const before = this.#objects;
    this.#objects = new Map(objects);
    this.#graves.clear();
    const gone = [...before].filter(([uid]) => !objects.has(uid));
    return [
      ...gone.map(([, object]): Change => ({ type: "removed", object })),
      ...[...objects].flatMap(([uid, object]) => changeOf(object, before.get(uid))),
    ];
  }

  #bury(uid: string): void {
    this.#graves.add(uid);
    for (const oldest of this.#graves) {
      if (this.#graves.size <= MOST_GRAVES) break;
      this.#graves.delete(oldest);
    }
  }
}

function changeOf(object: Raw, previous: Raw | undefined): readonly Change[] {
  if (!previous) return [{ type: "added", object }];
  return versionOf(previous) === versionOf(object) ? [] : [{ type: "updated", object, previous }];
}

/** `metadata.uid`; an object of an API server has one. */
export const uidOf = (object: Raw): string => textAt(rawAt(object, "metadata"), "uid") ?? "";

/** `metadata.resourceVersion`. */
export const versionOf = (object: Raw): string => textAt(rawAt(object, "metadata"), "resourceVersion") ?? "";

const NUMBER = /^[1-9]\d*$/;

/**
 * Whether resource version `a` lies after `b`. They are decimal numbers of any length (KEP-5504); where one is not, any
 * difference counts as later.
 */
export function isLater(a: string, b: string): boolean {
  if (!NUMBER.test(a) || !NUMBER.test(b)) return a !== b;
  return a.length === b.length ? a > b : a.length > b.length;
}

/** Takes away what nobody reads and what makes half of an object's size. */
export function withoutManagedFields(object: Raw): Raw {
  const { managedFields: _, ...metadata } = rawAt(object, "metadata");
  return { ...object, metadata };
}

/**
 * The same function, asked once for each object as long as that lives: for what follows from the frozen objects of a
 * catalogue alone, and is asked for at every review.
 */
export function remembered<K extends object, V extends object | string>(make: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make(key);
    known.set(key, made);
    return made;
  };
}

/** A map that forgets all it has when it is full: for what is remembered by names that somebody else may choose. */
export class Forgetful<K, V> extends Map<K, V> {
  static readonly MOST = 256;

  override set(key: K, value: V): this {
    if (this.size >= Forgetful.MOST) this.clear();
    return super.set(key, value);
  }
}

/** Names of credentials that were somebody's when they were last shown; the one shown longest ago is forgotten first. */
export class KnownGood {
  readonly #keys = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > this.#most && oldest !== undefined) this.#keys.delete(oldest);
  }

  forget(key: string): void {
    this.#keys.delete(key);
  }
}

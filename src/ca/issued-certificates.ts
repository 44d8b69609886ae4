import type { RestrictionTarget } from "../domain/definitions.ts";
import type { Instant } from "../domain/instant.ts";
import type { Whereabouts } from "../identity/restricted.ts";
import { type StillTrusted, stillTrusted } from "../identity/still-trusted.ts";
import type { Issued } from "../wire/issuance-record.ts";

/** Certificates that are remembered; of more, those issued first are forgotten. Each takes about half a kilobyte. */
const MOST = 100_000;

/**
 * The certificates that this process has issued and that have not ended: by it a door knows to which Pod the one that is shown
 * was issued, and the revocation list whom a Restriction concerns. What another replica issued is not in it.
 */
export class IssuedCertificates {
  readonly #bySerial = new Map<string, Issued>();
  readonly #most: number;
  #pruneAt = 1024;
  /** Of what is remembered now; made when it is asked for. */
  #trusted: StillTrusted<Issued> | undefined;

  constructor(most = MOST) {
    this.#most = most;
  }

  add(issued: Issued, now: Instant): void {
    if (issued.notAfter <= now) return;
    this.#bySerial.set(issued.serial, issued);
    this.#trusted = undefined;
    if (this.#bySerial.size > this.#pruneAt) this.#prune(now);
  }

  /** Where the Pod is, or was, to which a certificate was issued; undefined where that is not known. */
  whereabouts(serial: string): Whereabouts | undefined {
    const found = this.#bySerial.get(serial);
    const [kind, namespace, name] = found?.subject.split(/[ /]/) ?? [];
    if (found?.pod === undefined || kind !== "Pod" || namespace === undefined || name === undefined) return undefined;
    const { pod: uid, node, virtualMachine } = found;
    return {
      pod: { namespace, name, uid },
      ...(node === undefined ? {} : { node: { name: node } }),
      ...(virtualMachine === undefined ? {} : { virtualMachine: { namespace, name: virtualMachine } }),
    };
  }

  /** Those that a target names and that have not ended. */
  named(target: RestrictionTarget, now: Instant): readonly Issued[] {
    this.#trusted ??= stillTrusted([...this.#bySerial.values()]);
    return this.#trusted(target, now);
  }

  #prune(now: Instant): void {
    for (const [serial, { notAfter }] of this.#bySerial) if (notAfter <= now) this.#bySerial.delete(serial);
    for (const serial of this.#bySerial.keys()) {
      if (this.#bySerial.size <= this.#most) break;
      this.#bySerial.delete(serial);
    }
    this.#pruneAt = Math.min(Math.max(1024, this.#bySerial.size * 2), this.#most + 1024);
  }
}

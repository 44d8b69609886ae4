import type { SvidContents, SvidPlan } from "../identity/svid-plan.ts";
import type { AuthorityCertificate } from "./authority.ts";
import { crlTbs, type RevocationList } from "./der/crl.ts";
import { certificateOf, leafTbs } from "./der/leaf.ts";
import { verifierOf, type Verify } from "./keys/own-signatures.ts";
import type { SigningKey } from "./keys/signing-key.ts";
import { recheck } from "./recheck.ts";

/** A finished certificate that was read again, and what it was planned to be. */
export type SignedSvid = { readonly contents: SvidContents; readonly der: Buffer };

/**
 * An issuing authority. Its key is a #private field that signs plans of certificates, and revocation lists.
 */
export class Issuer {
  readonly facts: AuthorityCertificate;
  /** What goes with a leaf, this authority's own certificate first, the root left out; DER. */
  readonly intermediates: readonly Buffer[];
  readonly #key: SigningKey;
  readonly #verify: Verify;

  constructor(
    certificate: AuthorityCertificate,
    key: SigningKey,
    intermediates: readonly Buffer[] = [certificate.der],
  ) {
    this.facts = certificate;
    this.intermediates = intermediates;
    this.#key = key;
    this.#verify = verifierOf(key);
  }

  /**
   * Signs a plan, once, and reads the finished certificate again: one that is not what was planned, or whose signature does
   * not verify (`verifierOf` says which are looked at), is a fault and never leaves.
   */
  async sign(plan: SvidPlan): Promise<SignedSvid> {
    const contents = plan.redeem();
    if (contents.issuer.keyId !== this.facts.keyId)
      throw new Error(`the plan is for authority ${contents.issuer.keyId}, not ${this.facts.keyId}`);
    const { algorithm } = this.#key;
    const tbs = leafTbs(contents, algorithm.identifier);
    const der = certificateOf(tbs, algorithm.identifier, await this.#key.sign(tbs));
    const differences = await recheck(der, contents, { algorithm, verify: this.#verify });
    if (differences.length > 0)
      throw new Error(`certificate ${contents.serial} is not as planned: ${differences.join(", ")}`);
    return { contents, der };
  }

  /** Signs a list of certificates of its own that are revoked; DER. */
  async signList(list: RevocationList): Promise<Buffer> {
    const { identifier } = this.#key.algorithm;
    const tbs = crlTbs(list, this.facts, identifier);
    return certificateOf(tbs, identifier, await this.#key.sign(tbs));
  }
}

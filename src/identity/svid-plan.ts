import type { IssuerFacts, LeafProfile, Window } from "../domain/certificate.ts";
import { ok, problem, type Problem, refuseAll, type Result } from "../domain/problem.ts";
import { accountName, type SpiffeId } from "../domain/spiffe-id.ts";
import type { Entitlement } from "./entitlement.ts";
import type { LeafKey } from "./leaf-key.ts";

/** Everything that an X.509-SVID will say. */
export type SvidContents = {
  readonly profile: LeafProfile;
  /** In lower-case hexadecimal, without leading zero octets. */
  readonly serial: string;
  readonly issuer: IssuerFacts;
  readonly window: Window;
  readonly spiffeId: SpiffeId;
  readonly dnsNames: readonly string[];
  /** Absent: the subject is empty. */
  readonly commonName?: string;
  readonly key: LeafKey;
};

/** What a plan needs besides who it is for: number, issuer and window. */
export type Particulars = Pick<SvidContents, "serial" | "issuer" | "window">;

/** What a plan looks at of an entitlement. */
export type Entitled = Pick<Entitlement, "spiffeId" | "trustDomain" | "dnsNames" | "commonName" | "maxTtlSeconds">;

/**
 * The complete, checked contents of a certificate before it is signed; the only thing that an authority signs, and at most
 * once. The constructor is private and the contents are a #private field: neither a literal nor a copy is a plan.
 */
export class SvidPlan {
  readonly #contents: SvidContents;
  #redeemed = false;

  private constructor(contents: SvidContents) {
    this.#contents = Object.freeze(contents);
  }

  /** Plans one certificate. Refuses with every rule of X509-SVID, profile and entitlement that it would break. */
  static for(profile: LeafProfile, entitled: Entitled, key: LeafKey, particulars: Particulars): Result<SvidPlan> {
    const { spiffeId, dnsNames, commonName } = entitled;
    const subject = commonName === undefined ? {} : { commonName };
    const contents: SvidContents = { profile, spiffeId, dnsNames, ...subject, key, ...particulars };
    const problems = RULES.flatMap((rule) => rule(contents, entitled) ?? []);
    return problems.length === 0 ? ok(new SvidPlan(contents)) : refuseAll(problems);
  }

  /** What will be signed, to look at. */
  get contents(): SvidContents {
    return this.#contents;
  }

  /** Gives the contents to whoever signs them. A second call is a fault. */
  redeem(): SvidContents {
    if (this.#redeemed) throw new Error(`the plan of certificate ${this.#contents.serial} was signed before`);
    this.#redeemed = true;
    return this.#contents;
  }
}

type Rule = (contents: SvidContents, entitled: Entitled) => Problem | undefined;

/** Each refuses one thing; none depends on another. */
const RULES: readonly Rule[] = [
  ({ serial }) =>
    SERIAL_NUMBER.test(serial) ? undefined : broken("serial", `"${serial}" is no serial number of 1 to 20 octets`),
  ({ window: { notBefore, notAfter } }) =>
    notBefore % 1000 === 0 && notAfter % 1000 === 0 && notBefore < notAfter
      ? undefined
      : broken("window", "it does not hold for a number of whole seconds"),
  ({ window, issuer }) =>
    window.notBefore >= issuer.window.notBefore && window.notAfter <= issuer.window.notAfter
      ? undefined
      : broken("window", "it would hold when its issuer does not"),
  ({ window, profile }, { maxTtlSeconds }) =>
    lifetime(window) <= Math.min(profile.maxTtlSeconds, maxTtlSeconds) && lifetime(window) >= profile.minTtlSeconds
      ? undefined
      : broken("window", `its lifetime of ${lifetime(window)} s is not one of profile ${profile.name} and its role`),
  ({ spiffeId, issuer }, { trustDomain }) =>
    trustDomain === issuer.trustDomain && spiffeId.startsWith(`spiffe://${trustDomain}/ns/`)
      ? undefined
      : broken("spiffeId", `${spiffeId} is not of the issuer's trust domain ${issuer.trustDomain}`),
  ({ key, profile }) =>
    profile.keyTypes.includes(key.keyType)
      ? undefined
      : broken("key", `profile ${profile.name} has no key of type ${key.keyType}`),
  ({ dnsNames }) => {
    const odd = dnsNames.find((name, index) => !DNS_NAME.test(name) || dnsNames.indexOf(name) !== index);
    return odd === undefined ? undefined : broken("dnsNames", `"${odd}" is no DNS name, or stands twice`);
  },
  ({ commonName, spiffeId }) =>
    commonName === undefined || (commonName === accountName(spiffeId) && commonName.length <= LONGEST_COMMON_NAME)
      ? undefined
      : broken(
          "commonName",
          `"${commonName}" is not the account's name, or longer than ${LONGEST_COMMON_NAME} characters`,
        ),
];

/** ub-common-name (RFC 5280 appendix A.1). */
const LONGEST_COMMON_NAME = 64;
/** A serial number of 1 to 20 octets, positive, in lower-case hexadecimal (RFC 5280 §4.1.2.2). */
export const SERIAL_NUMBER = /^(?!00)[0-7][0-9a-f]([0-9a-f]{2}){0,19}$/;
const DNS_NAME = /^(?=.{1,253}$)(\*\.)?[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;

const lifetime = ({ notBefore, notAfter }: Window): number => (notAfter - notBefore) / 1000;

const broken = (path: string, why: string): Problem =>
  problem("CERTIFICATE_UNLAWFUL", path, `This certificate may not be: ${why}.`);

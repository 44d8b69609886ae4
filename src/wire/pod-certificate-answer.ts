import { formatInstant, type Instant } from "../domain/instant.ts";
import type { Raw } from "./read-object.ts";

/** A chain for a kubelet: PEM, leaf first, and the times that the API server holds against the leaf. */
export type IssuedChain = {
  readonly chain: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly beginRefreshAt: Instant;
};

/** The status that answers a request with a certificate; it is final. */
export const issuedStatus = ({ chain, ...times }: IssuedChain, now: Instant): Raw => ({
  conditions: [condition("Issued", "Issued", "Signet issued the certificate.", now)],
  certificateChain: chain,
  notBefore: formatInstant(times.notBefore),
  notAfter: formatInstant(times.notAfter),
  beginRefreshAt: formatInstant(times.beginRefreshAt),
});

/** The status that denies a request; it is final. */
export const deniedStatus = (reason: string, message: string, now: Instant): Raw => ({
  conditions: [condition("Denied", reason, message, now)],
});

const condition = (type: string, reason: string, message: string, now: Instant): Raw => ({
  type,
  status: "True",
  reason,
  message,
  lastTransitionTime: formatInstant(now),
});

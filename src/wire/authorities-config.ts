import type { Static } from "typebox";
import { millisIfGiven } from "./config-duration.ts";
import { parsePkcs11Uri, type Pkcs11Uri } from "./pkcs11-uri.ts";
import { duration, fields, oneOf, optional, text } from "./kinds/fields.ts";

/** The part of the server's configuration that is about the authorities of workloads' certificates. */
export const AUTHORITIES_CONFIG = fields("The authorities that sign workloads' certificates.", {
  root: optional(
    oneOf(
      "own: a root is made with each authority, and its key forgotten. offline: every authority is certified by a root that is kept elsewhere (`signet ca csr`).",
      ["own", "offline"],
      { default: "own" },
    ),
  ),
  key: optional(
    text(
      "Token that keys are made and used in, as a PKCS#11 URI (RFC 7512): pkcs11:token=NAME?module-path=FILE&pin-source=file:FILE. Left out: keys lie in the sealed file, or in the Secret.",
      1024,
    ),
  ),
  settle: optional(
    duration(
      "How long readers get to have a new root before anything is signed below it. Default 15m: kubelets take 6.",
    ),
  ),
});

/** What counts of the authorities. Times in milliseconds. */
export type AuthoritiesConfig = {
  readonly ownRoots: boolean;
  /** Absent: keys lie in the vault. */
  readonly key?: Pkcs11Uri;
  /** Absent: as long as `PACE` says. */
  readonly settleMs?: number;
};

/** The configuration, its durations read already. */
export function authoritiesConfig(written: Static<typeof AUTHORITIES_CONFIG> | undefined): AuthoritiesConfig {
  const settleMs = millisIfGiven(written?.settle);
  const key = written?.key === undefined ? undefined : parsePkcs11Uri(written.key, "authorities.key");
  return Object.freeze({
    ownRoots: written?.root !== "offline",
    ...(key?.ok ? { key: key.value } : {}),
    ...(settleMs === undefined ? {} : { settleMs }),
  });
}

import type { DatabaseSettings } from "./settings.ts";

/** Why a database cannot be used, and what to do where that is known; holds no secret. */
export function whyNot(fault: unknown, settings: DatabaseSettings): string {
  if (fault instanceof AggregateError) return fault.errors.map((each) => whyNot(each, settings)).join("; ");
  if (!(fault instanceof Error)) return String(fault);
  const code = "code" in fault && typeof fault.code === "string" ? fault.code : fault.message;
  const mend = Object.hasOwn(MENDS, code) ? MENDS[code] : undefined;
  return mend === undefined ? fault.message : `${mend.says(settings)} (${fault.message}): ${mend.do}`;
}

type Mend = { readonly says: (settings: DatabaseSettings) => string; readonly do: string };

const place = ({ host, port }: DatabaseSettings): string => `${host}:${port}`;

const UNTRUSTED: Mend = {
  says: (settings) =>
    `the certificate of ${place(settings)} is not signed by ${settings.tls?.ca ?? "an authority that Node knows"}`,
  do: "name its authority in database.ca",
};

/** By the codes of OpenSSL's verification, of Node, of PostgreSQL (appendix A), and pg's sentences, which have no code. */
const MENDS: Readonly<Record<string, Mend>> = {
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: {
    says: (settings) => `the certificate of ${place(settings)} has expired`,
    do: "renew it at the database",
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    says: (settings) => `the certificate of ${place(settings)} is for another name`,
    do: "write database.host as the certificate has it",
  },
  "The server does not support SSL connections": {
    says: (settings) => `${place(settings)} offers no TLS`,
    do: "switch it on there, or write database.tls: none where the network is trusted",
  },
  "28P01": { says: place, do: "look at database.user and at the file in database.passwordFile" },
  "28000": { says: place, do: "let database.user in by pg_hba.conf" },
  "SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string": {
    says: (settings) => `${place(settings)} asks for a password`,
    do: "name its file in database.passwordFile",
  },
};

import { join } from "node:path";
import { IssuedCertificates } from "../../ca/issued-certificates.ts";
import type { Profiles } from "../../domain/certificate.ts";
import type { Instant } from "../../domain/instant.ts";
import { LedgerReader } from "../../store/ledger-reader.ts";
import { readIssuanceRecord } from "../../wire/issuance-record.ts";

/** The certificates that have not ended and that the ledger of a state folder has: what was issued before this start. */
export function rememberedCertificates(state: string, { leaf }: Profiles, now: Instant): IssuedCertificates {
  const issued = new IssuedCertificates();
  const reader = new LedgerReader(join(state, "ledger.db"));
  try {
    for (const line of reader.records({ kind: "issuance", since: now - leaf.maxTtlSeconds * 1000 })) {
      const record = readIssuanceRecord(line);
      if (record?.outcome === "issued") issued.add(record, now);
    }
  } finally {
    reader.close();
  }
  return issued;
}

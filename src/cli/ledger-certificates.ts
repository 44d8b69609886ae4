import { formatInstant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { sha256Hex } from "../domain/sha256.ts";
import { certificatesInRecord } from "../wire/authority-record.ts";
import { readIssuanceRecord } from "../wire/issuance-record.ts";
import type { Io, TextFile } from "./io.ts";
import type { LedgerLine } from "./ledger.ts";
import { table } from "./table.ts";

/** One certificate that was handed in, and the record of the ledger that has its exact digest. */
export type LookedUp = {
  readonly file: string;
  /** Which of the file's certificates, from 1. */
  readonly number: number;
  readonly sha256: string;
  readonly record?: LedgerLine;
};

const CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;

/** Finds the certificates in PEM files in the ledger's records: leaves, issuing authorities and roots. */
export function lookUpCertificates(
  io: Pick<Io, "readInputs">,
  paths: readonly string[],
  records: readonly LedgerLine[],
): Result<readonly LookedUp[]> {
  const files = io.readInputs(paths);
  if (!files.ok) return files;
  const byDigest = new Map(records.flatMap((record) => digestsOf(record).map((sha256) => [sha256, record] as const)));
  const found = files.value.flatMap((file) => certificatesOf(file, byDigest));
  if (found.length > 0) return ok(found);
  return refuse("SVID_INVALID", "--certificate", "There is no certificate in these files.", "Hand in PEM files.");
}

const certificatesOf = ({ name, text }: TextFile, byDigest: ReadonlyMap<string, LedgerLine>): readonly LookedUp[] =>
  [...text.matchAll(CERTIFICATE)].map(([, base64 = ""], index) => {
    const sha256 = sha256Hex(Buffer.from(base64, "base64"));
    const record = byDigest.get(sha256);
    return { file: name, number: index + 1, sha256, ...(record ? { record } : {}) };
  });

function digestsOf(record: LedgerLine): readonly string[] {
  if (record.kind === "authority") return certificatesInRecord(record.body).map(({ sha256 }) => sha256);
  const read = record.kind === "issuance" ? readIssuanceRecord(record) : undefined;
  return read?.outcome === "issued" ? [read.sha256] : [];
}

/** For people: each certificate, and where it stands. */
export const lookedUpText = (found: readonly LookedUp[]): string =>
  table([
    ["LEDGER", "RECORD", "WHEN", "FOR", "CERTIFICATE"],
    ...found.map(({ file, number, sha256, record }) => [
      record ? "has it" : "HAS IT NOT",
      record ? `${record.chain}/${record.seq}` : "-",
      record ? formatInstant(record.at) : "-",
      record ? `${record.kind === "authority" ? "authority " : ""}${record.subject}` : "-",
      `${file}#${number} ${sha256}`,
    ]),
  ]);

/** For programs. */
export const lookedUpView = (found: readonly LookedUp[]) =>
  found.map(({ record, ...certificate }) => ({
    ...certificate,
    known: record !== undefined,
    ...(record
      ? {
          record: `${record.chain}/${record.seq}`,
          kind: record.kind,
          at: formatInstant(record.at),
          subject: record.subject,
        }
      : {}),
  }));

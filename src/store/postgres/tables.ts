import type { LedgerRecord } from "../chain.ts";

/**
 * The tables, made where they are missing. Records are told apart by ledger: each replica, and each state folder of it, writes
 * one of its own. PostgreSQL's text holds no NUL: texts with one are kept as JSON, and `escaped` says so.
 */
export const TABLES = `
  CREATE TABLE IF NOT EXISTS signet_records (
    ledger uuid NOT NULL, chain integer NOT NULL, seq bigint NOT NULL, at bigint NOT NULL, kind text NOT NULL,
    subject text NOT NULL, body text NOT NULL, escaped boolean NOT NULL, hash text NOT NULL,
    PRIMARY KEY (ledger, chain, seq)
  );
  CREATE TABLE IF NOT EXISTS signet_snapshots (digest text PRIMARY KEY, text text NOT NULL);
  CREATE TABLE IF NOT EXISTS signet_heads (ledger uuid PRIMARY KEY, head text NOT NULL);
  CREATE OR REPLACE FUNCTION signet_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
  CREATE OR REPLACE TRIGGER signet_records_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON signet_records
    EXECUTE FUNCTION signet_stays();
  CREATE OR REPLACE TRIGGER signet_snapshots_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON signet_snapshots
    EXECUTE FUNCTION signet_stays();
`;

/** Two replicas that begin at once make the tables one after the other. */
export const MAKE_TABLES = `BEGIN; SELECT pg_advisory_xact_lock(7368103); ${TABLES} COMMIT;`;

export const INSERT_RECORDS = `
  INSERT INTO signet_records (ledger, chain, seq, at, kind, subject, body, escaped, hash)
  SELECT $1, * FROM unnest($2::integer[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::boolean[], $9::text[])
`;

const NUL = "\u0000";

/** The parameters of INSERT_RECORDS. */
export function recordColumns(ledger: string, records: readonly LedgerRecord[]): readonly unknown[] {
  const rows = records.map((record) => {
    const escaped = `${record.kind}${record.subject}${record.body}`.includes(NUL);
    return { ...record, escaped, keep: (text: string): string => (escaped ? JSON.stringify(text) : text) };
  });
  return [
    ledger,
    rows.map(({ chain }) => chain),
    rows.map(({ seq }) => seq),
    rows.map(({ at }) => at),
    rows.map(({ kind, keep }) => keep(kind)),
    rows.map(({ subject, keep }) => keep(subject)),
    rows.map(({ body, keep }) => keep(body)),
    rows.map(({ escaped }) => escaped),
    rows.map(({ hash }) => hash),
  ];
}

/** A row as PostgreSQL's client gives it: 64-bit numbers are texts. */
export type Row = {
  readonly ledger: string;
  readonly chain: number;
  readonly seq: string;
  readonly at: string;
  readonly kind: string;
  readonly subject: string;
  readonly body: string;
  readonly escaped: boolean;
  readonly hash: string;
};

/** The record of a row. */
export function recordOf({ ledger, chain, seq, at, kind, subject, body, escaped, hash }: Row) {
  const given = (text: string): string => (escaped ? String(JSON.parse(text)) : text);
  return {
    ledger,
    chain,
    seq: Number(seq),
    at: Number(at),
    kind: given(kind),
    subject: given(subject),
    body: given(body),
    hash,
  };
}

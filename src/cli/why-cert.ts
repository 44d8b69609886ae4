import { formatInstant, type Instant } from "../domain/instant.ts";
import type { Definitions } from "../domain/catalogue.ts";
import type { Restriction } from "../domain/definitions.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { PROBLEM_CODES } from "../domain/problem-codes.ts";
import { shownSerial } from "../identity/renewal.ts";
import { stillTrusted } from "../identity/still-trusted.ts";
import { type Issued, readIssuanceRecord, type RefusedIssuance } from "../wire/issuance-record.ts";
import { readSnapshotText } from "../wire/snapshot-text.ts";
import type { LedgerLine, LedgerView } from "./ledger.ts";

/** What the ledger says of one certificate. */
type CertificateView = {
  readonly serial: string;
  readonly spiffeId: string;
  readonly subject: string;
  readonly at: string;
  readonly door: string;
  readonly caller: string;
  readonly ground: {
    readonly role: string;
    readonly segment: string;
    readonly catalogue: string | null;
    readonly pod: string | null;
    readonly node: string | null;
  };
  /** Serial numbers: by which it was renewed, and which were renewed by it. */
  readonly parent: string | null;
  readonly renewals: readonly string[];
  readonly keyType: string;
  readonly authority: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly ended: boolean;
  /** Restrictions that name it now. */
  readonly revoked: readonly { readonly restriction: string; readonly effect: string; readonly reason: string }[];
  readonly record: string;
};

/** What the ledger says of one refusal. */
type RefusalView = {
  readonly subject: string;
  readonly at: string;
  readonly door: string;
  readonly caller: string;
  readonly code: string;
  readonly message: string;
  readonly mend: string;
  readonly record: string;
};

/** Why there are these certificates, and none else. */
export type CertReport = {
  readonly asked: string;
  readonly certificates: readonly CertificateView[];
  readonly refusals: readonly RefusalView[];
};

type Kept<Record> = { readonly line: LedgerLine; readonly record: Record };

/**
 * What a ledger says of a certificate by its serial number, or of all that were asked for a Pod, `NAMESPACE/NAME`, the newest
 * last. Refuses with NOT_FOUND where it says nothing.
 */
export function certReport(view: LedgerView, asked: string, now: Instant): Result<CertReport> {
  const all = view.records({ kind: "issuance" }).flatMap((line) => {
    const record = readIssuanceRecord(line);
    return record ? [{ line, record }] : [];
  });
  const issued = all.filter((each): each is Kept<Issued> => each.record.outcome === "issued");
  const refused = all.filter((each): each is Kept<RefusedIssuance> => each.record.outcome === "refused");
  const wanted = wantedOf(asked);
  const certificates = issued.filter(({ record }) => wanted(record));
  const refusals = refused.filter(({ record }) => wanted({ ...record, serial: "" }));
  if (certificates.length + refusals.length === 0)
    return refuse(
      "NOT_FOUND",
      "",
      `The ledger says nothing of ${asked}.`,
      "Name a serial number in hexadecimal, or a Pod as NAMESPACE/NAME; each replica has a ledger of its own.",
    );
  const records = issued.map(({ record }) => record);
  const trusted = stillTrusted(records);
  const restrictions = restrictionsIn(view).map(
    (each): Naming => ({ ...each, named: new Set(trusted(each.target, 0)) }),
  );
  return ok({
    asked,
    certificates: certificates.map((each) => certificateView(each, { records, restrictions, now })),
    refusals: refusals.map(refusalView),
  });
}

/** A slash stands in names of objects, and in no number. `Pod` is what is meant where no kind is named. */
function wantedOf(asked: string): (record: { readonly serial: string; readonly subject: string }) => boolean {
  if (asked.includes("/")) return ({ subject }) => subject === `Pod ${asked}` || subject === asked;
  const serial = asked.replaceAll(":", "").toLowerCase();
  return (record) => record.serial === serial;
}

/** A restriction, and all that it names, whether or not it has ended. */
type Naming = Restriction & { readonly named: ReadonlySet<Issued> };

type Beside = {
  readonly records: readonly Issued[];
  readonly restrictions: readonly Naming[];
  readonly now: Instant;
};

function certificateView({ line, record }: Kept<Issued>, { records, restrictions, now }: Beside): CertificateView {
  const { serial, spiffeId, subject, door, caller, role, segment, keyType, authority } = record;
  const naming = restrictions.filter(({ named }) => named.has(record));
  return {
    serial,
    spiffeId,
    subject,
    at: formatInstant(record.at),
    door,
    caller,
    ground: {
      role,
      segment,
      catalogue: record.revision ?? null,
      pod: record.pod ?? null,
      node: record.node ?? null,
    },
    parent: shownSerial(caller) ?? null,
    renewals: records.filter((each) => shownSerial(each.caller) === serial).map((each) => each.serial),
    keyType,
    authority,
    notBefore: formatInstant(record.notBefore),
    notAfter: formatInstant(record.notAfter),
    ended: record.notAfter <= now,
    revoked: naming.map(({ name, effect, reason }) => ({ restriction: name, effect, reason })),
    record: `${line.chain}/${line.seq}`,
  };
}

const refusalView = ({
  line,
  record: { subject, at, door, caller, code, message },
}: Kept<RefusedIssuance>): RefusalView => ({
  subject,
  at: formatInstant(at),
  door,
  caller,
  code,
  message,
  mend: Object.hasOwn(PROBLEM_CODES, code) ? PROBLEM_CODES[code].mend : "",
  record: `${line.chain}/${line.seq}`,
});

/** Those of the catalogue that the ledger holds last. */
function restrictionsIn(view: LedgerView): readonly Restriction[] {
  const [last] = view.records({ kind: "catalogue", limit: 1 });
  const text = last && view.snapshot(last.subject);
  const read: Result<Definitions> | undefined = text === undefined ? undefined : readSnapshotText(text);
  return read?.ok ? read.value.restrictions : [];
}

/** A report for people. */
export function certText({ certificates, refusals }: CertReport): string {
  return [...certificates.map(oneText), ...refusals.map(refusalText)].join("\n");
}

function oneText(view: CertificateView): string {
  const { ground, revoked } = view;
  const rows: readonly (readonly [string, string | null])[] = [
    ["certificate", view.serial],
    ["identity", view.spiffeId],
    ["for", view.subject],
    ["asked by", `${view.caller}, by door ${view.door}, at ${view.at} (record ${view.record})`],
    ["ground", `role ${ground.role} of segment ${ground.segment}`],
    ["catalogue", ground.catalogue],
    ["pod", ground.pod],
    ["node", ground.node],
    ["renews", view.parent],
    ["renewed by", view.renewals.length > 0 ? view.renewals.join(", ") : null],
    ["key", view.keyType],
    ["authority", view.authority],
    ["holds", `${view.notBefore} to ${view.notAfter}${view.ended ? ", has ended" : ""}`],
    ["revoked", revoked.length === 0 ? "no" : revoked.map(revokedText).join("; ")],
  ];
  return rows.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(13)}${value}\n`])).join("");
}

const revokedText = ({ restriction, effect, reason }: CertificateView["revoked"][number]): string =>
  `by Restriction ${restriction} (${effect}): ${reason}`;

const refusalText = ({ subject, at, door, caller, code, message, mend, record }: RefusalView): string =>
  [
    `refused      ${code}: ${message}\n`,
    `for          ${subject}\n`,
    `asked by     ${caller}, by door ${door}, at ${at} (record ${record})\n`,
    ...(mend === "" ? [] : [`mend         ${mend}\n`]),
  ].join("");

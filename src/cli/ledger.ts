import { formatInstant, type Instant, parseInstant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { readVerdictRecord, type VerdictRecord } from "../wire/verdict-record.ts";
import type { Command } from "commander";
import { lookedUpText, lookedUpView, lookUpCertificates, type LookedUp } from "./ledger-certificates.ts";
import { badInput, type Outcome } from "./action.ts";
import { outputOption, withExamples } from "./options.ts";
import type { ExitCode, Io } from "./io.ts";
import { painter } from "./paint.ts";

/** One record of the ledger. */
export type LedgerLine = {
  readonly chain: number;
  readonly seq: number;
  readonly at: Instant;
  readonly kind: string;
  readonly subject: string;
  readonly body: string;
  readonly hash: string;
};

/** What was found of a ledger. */
export type Verified = {
  readonly chains: number;
  readonly records: number;
  readonly head?: Pick<LedgerLine, "chain" | "seq" | "hash">;
  readonly broken?: { readonly chain: number; readonly seq: number; readonly why: string };
};

/** Which records are asked for; with a limit the newest so many. */
type RecordFilter = { readonly kind?: string; readonly since?: Instant; readonly limit?: number };

/** What a command may ask of the copies of ledgers in a database: one for each replica, and state folder of it. */
export type CopiesView = {
  readonly verify: () => Promise<readonly (Verified & { readonly ledger: string })[]>;
  readonly records: (filter: RecordFilter) => Promise<readonly (LedgerLine & { readonly ledger: string })[]>;
  readonly close: () => Promise<void>;
};

/** Opens the copies that a server's configuration names. */
export type OpenCopies = (config: string) => Promise<Result<CopiesView>>;

/** What a command may ask of a ledger; bin/ provides it. */
export type LedgerView = {
  /** Also against the signed head in a file, where one is named; refuses where that holds none. */
  readonly verify: (head?: string) => Result<Verified>;
  /** In the order in which they were written; with a limit the newest so many. */
  readonly records: (filter: RecordFilter) => readonly LedgerLine[];
  /** The newest verdict on `KIND NAMESPACE/NAME` at a moment. */
  readonly lastVerdict: (subject: string, at: Instant) => LedgerLine | undefined;
  readonly snapshot: (digest: string) => string | undefined;
  readonly close: () => void;
};

/** Opens the ledger of a state folder for reading. */
export type OpenLedger = (state: string) => Promise<Result<LedgerView>>;

type Shown = {
  readonly state: string;
  readonly output: string;
  readonly since?: string;
  readonly kind?: string;
  readonly limit: string;
  readonly head?: string;
  readonly database?: string;
  readonly certificate?: readonly string[];
};

/** Adds `signet ledger verify` and `signet ledger show`. */
export function addLedgerCommand(program: Command, io: Io, outcome: Outcome): void {
  const ledger = program.command("ledger").summary("verify and read the ledger").description(ABOUT);
  const verifying = ledger
    .command("verify")
    .description(
      "Recomputes every chain, and names the first record that is not as it was written. With --certificate it also says of each certificate whether the ledger has its exact digest: one that it has not was not issued by this Signet.",
    )
    .option("--state <dir>", "the server's state folder", DEFAULT_STATE)
    .option("--head <file>", "also against this signed head, a copy of ledger.db.head that was kept elsewhere")
    .option("--database <config>", "the copies in PostgreSQL that this server configuration names")
    .option("--certificate <file...>", "PEM files with certificates to look for")
    .addOption(outputOption(["text", "json"]))
    .action(async (options: Shown) => {
      outcome.code = await verifyEither(io, options);
    });
  withExamples(verifying, [
    "ledger verify",
    "ledger verify --state /var/lib/signet --output json",
    "ledger verify --database /etc/signet/server.yaml",
    "ledger verify --certificate svid.pem bundle.pem",
  ]);
  const showing = ledger
    .command("show")
    .description("Prints records, the newest last.")
    .option("--state <dir>", "the server's state folder", DEFAULT_STATE)
    .option("--since <time>", "from this moment on, for example 2027-01-31T00:00:00Z")
    .option("--kind <kind>", "start, stop, gap, catalogue, verdict, issuance, token or authority")
    .option("--limit <n>", "the newest n", "50")
    .option("--database <config>", "the copies in PostgreSQL that this server configuration names")
    .addOption(outputOption(["text", "json"]))
    .action(async (options: Shown) => {
      const { state, database } = options;
      outcome.code = await (database === undefined
        ? withLedger(io, state, (view) => show(io, view, options))
        : withCopies(io, database, (view) => show(io, view, options)));
    });
  withExamples(showing, ["ledger show --kind verdict --limit 10", "ledger show --since 2027-01-31T00:00:00Z -o json"]);
}

/** The state folder of a server that was told no other. */
export const DEFAULT_STATE = ".signet";

const ABOUT =
  "The ledger is append-only: every record closes with a hash over the one before it, and every start of a server begins a chain that names the end of the one before. A server may be running.";

/** Opens a ledger, uses it, and closes it whatever happens. */
export async function withLedger(
  io: Io,
  state: string,
  use: (view: LedgerView) => ExitCode | Promise<ExitCode>,
): Promise<ExitCode> {
  if (!io.openLedger) throw new Error("this command line was built without a ledger");
  const opened = await io.openLedger(state);
  if (!opened.ok) return badInput(io, opened.problems);
  try {
    return await use(opened.value);
  } finally {
    opened.value.close();
  }
}

async function withCopies(io: Io, config: string, use: (view: CopiesView) => Promise<ExitCode>): Promise<ExitCode> {
  if (!io.openCopies) throw new Error("this command line was built without databases");
  const opened = await io.openCopies(config);
  if (!opened.ok) return badInput(io, opened.problems);
  try {
    return await use(opened.value);
  } finally {
    await opened.value.close();
  }
}

const verifyEither = (io: Io, options: Shown): Promise<ExitCode> =>
  options.database === undefined
    ? withLedger(io, options.state, (view) => verify(io, view, options))
    : withCopies(io, options.database, (view) => verifyCopies(io, view, options));

async function verify(io: Io, view: LedgerView, { output, head, certificate }: Shown): Promise<ExitCode> {
  const verified = view.verify(head);
  if (!verified.ok) return badInput(io, verified.problems);
  const looked = await lookedUp(io, view, certificate);
  if (!looked.ok) return badInput(io, looked.problems);
  const found = verified.value;
  if (output === "json") io.out(`${JSON.stringify({ verifies: !found.broken, ...found, ...viewOf(looked.value) })}\n`);
  else io.out(verifiedText("The ledger", found) + (looked.value ? lookedUpText(looked.value) : ""));
  return found.broken || lacksOne(looked.value) ? 3 : 0;
}

async function verifyCopies(io: Io, view: CopiesView, { output, certificate }: Shown): Promise<ExitCode> {
  const ledgers = await view.verify();
  const looked = await lookedUp(io, view, certificate);
  if (!looked.ok) return badInput(io, looked.problems);
  const verifies = ledgers.every(({ broken }) => !broken);
  if (output === "json") io.out(`${JSON.stringify({ verifies, ledgers, ...viewOf(looked.value) })}\n`);
  else io.out(copiesText(ledgers) + (looked.value ? lookedUpText(looked.value) : ""));
  return verifies && !lacksOne(looked.value) ? 0 : 3;
}

const copiesText = (ledgers: Awaited<ReturnType<CopiesView["verify"]>>): string =>
  ledgers.length === 0
    ? "The database holds no ledgers.\n"
    : ledgers.map((found) => verifiedText(`Ledger ${found.ledger}`, found)).join("");

type Looked = readonly LookedUp[] | undefined;

async function lookedUp(io: Io, view: LedgerView | CopiesView, paths?: readonly string[]): Promise<Result<Looked>> {
  if (!paths) return ok(undefined);
  const [issued, made] = [await view.records({ kind: "issuance" }), await view.records({ kind: "authority" })];
  return lookUpCertificates(io, paths, [...made, ...issued]);
}

const viewOf = (looked: Looked) => (looked ? { certificates: lookedUpView(looked) } : {});
const lacksOne = (looked: Looked): boolean => looked?.some(({ record }) => !record) ?? false;

function verifiedText(name: string, { chains, records, head, broken }: Verified): string {
  if (!broken)
    return `${name} verifies: ${records} records in ${chains} chains.\n  head ${head?.chain}/${head?.seq} ${head?.hash}\n`;
  return (
    `${name} is BROKEN at record ${broken.chain}/${broken.seq}: ${broken.why} [LEDGER_BROKEN]\n` +
    `  ${records} records before it are as they were written. Keep everything as it is.\n`
  );
}

async function show(io: Io, view: LedgerView | CopiesView, { since, kind, limit, output }: Shown): Promise<ExitCode> {
  const from = since === undefined ? ok(0) : parseInstant(since, "--since");
  if (!from.ok) return badInput(io, from.problems);
  const most = /^\d{1,9}$/.test(limit) ? ok(Number(limit)) : refuse("USAGE", "--limit", `"${limit}" is no number.`);
  if (!most.ok) return badInput(io, most.problems);
  const records = await view.records({ since: from.value, limit: most.value, ...(kind === undefined ? {} : { kind }) });
  if (output === "json") for (const record of records) io.out(`${JSON.stringify(asJson(record))}\n`);
  else for (const record of records) io.out(`${asText(io, record)}\n`);
  return 0;
}

const asJson = ({ body, at, ...record }: LedgerLine) => ({
  ...record,
  at: new Date(at).toISOString(),
  body: JSON.parse(body) as unknown,
});

function asText(io: Io, { chain, seq, at, kind, subject, body }: LedgerLine): string {
  const place = `${chain}/${seq}`.padEnd(9);
  const verdict = kind === "verdict" ? readVerdictRecord(body) : undefined;
  const told = verdict?.ok ? verdictText(io, verdict.value) : body.slice(0, 160);
  return `${place} ${formatInstant(at)} ${kind.padEnd(9)} ${subject === "" ? "" : `${subject}  `}${told}`;
}

function verdictText(io: Io, { webhook, request, verdict }: VerdictRecord): string {
  const paint = painter(io.color);
  const color = { admit: "green", warn: "yellow", deny: "red" } as const;
  const decision = Object.hasOwn(color, verdict.decision) ? (verdict.decision as keyof typeof color) : "deny";
  const who = verdict.role === undefined ? "no role" : `role ${verdict.role}, segment ${verdict.segment}`;
  const codes = verdict.codes.length > 0 ? `  ${[...new Set(verdict.codes)].join(",")}` : "";
  return `${paint(color[decision], verdict.decision)} by ${webhook}, ${who}, asked by ${request.user.username || "nobody known"}${codes}`;
}

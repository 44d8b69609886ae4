import { mutate, validate } from "../admission/gate.ts";
import type { Verdict } from "../admission/judge.ts";
import { makeCatalogue } from "../domain/catalogue.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { readSnapshotText } from "../wire/snapshot-text.ts";
import { readVerdictRecord, type VerdictRecord } from "../wire/verdict-record.ts";
import { badInput } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import type { LedgerLine, LedgerView } from "./ledger.ts";

/** Which verdict is asked for: the newest on this object at this moment. */
export type AskedVerdict = {
  /** `Pod/cart-1`. */
  readonly kindName: string;
  readonly namespace: string;
  readonly at: Instant;
  readonly output: "text" | "json";
};

/** A verdict of the past, given again from what the ledger holds. */
export type Replayed = {
  readonly record: LedgerLine;
  readonly recorded: VerdictRecord;
  readonly verdict: Verdict;
  /** Whether it came out as it was recorded. */
  readonly same: boolean;
};

const GATES = { mutate, validate } as const;

/** Gives a verdict again, from the workload, the catalogue and the instant that the ledger holds. */
export function replayVerdict(view: LedgerView, { kindName, namespace, at }: AskedVerdict): Result<Replayed> {
  const slash = kindName.indexOf("/");
  const subject = `${kindName.slice(0, slash)} ${namespace}/${kindName.slice(slash + 1)}`;
  if (slash < 1) return refuse("USAGE", "", `"${kindName}" is not KIND/NAME.`, "Write for example Pod/cart-1.");
  const record = view.lastVerdict(subject, at);
  if (!record)
    return refuse(
      "NOT_FOUND",
      "",
      `The ledger holds no verdict on ${subject} up to ${formatInstant(at)}.`,
      "`signet ledger show --kind verdict` lists what it holds; -n names the namespace.",
    );
  const recorded = readVerdictRecord(record.body);
  return recorded.ok ? judgeAgain(view, record, recorded.value) : recorded;
}

function judgeAgain(view: LedgerView, record: LedgerLine, recorded: VerdictRecord): Result<Replayed> {
  const text = view.snapshot(recorded.catalogue);
  if (text === undefined)
    return refuse("LEDGER_BROKEN", "", `The catalogue ${recorded.catalogue.slice(0, 12)} is not in the ledger.`);
  const definitions = readSnapshotText(text);
  if (!definitions.ok) return definitions;
  const catalogue = makeCatalogue(definitions.value, recorded.catalogue);
  const terms = { now: record.at, requireApproval: recorded.requireApproval };
  const { verdict, allowed } = GATES[recorded.webhook](catalogue, recorded.request, terms);
  if (!verdict) return refuse("LEDGER_BROKEN", "", "The recorded request asks for no verdict.");
  return ok({ record, recorded, verdict, same: isSame(recorded, verdict, allowed) });
}

function isSame({ verdict: was }: VerdictRecord, is: Verdict, allowed: boolean): boolean {
  const codes = is.problems.map(({ code }) => code).join();
  return (
    was.decision === is.decision &&
    was.allowed === allowed &&
    was.spiffeId === is.identity?.spiffeId &&
    was.role === is.identity?.role.name &&
    was.codes.join() === codes
  );
}

/** Prints the verdict that was given on an object at a moment, and why. 1 where it would come out differently today. */
export function replay(io: Io, view: LedgerView, asked: AskedVerdict): ExitCode {
  const replayed = replayVerdict(view, asked);
  if (!replayed.ok) return badInput(io, replayed.problems);
  io.out(asked.output === "json" ? asJson(replayed.value) : asText(replayed.value));
  return replayed.value.same ? 0 : 1;
}

const asJson = ({ record, recorded, verdict, same }: Replayed): string =>
  `${JSON.stringify({
    subject: record.subject,
    at: new Date(record.at).toISOString(),
    record: `${record.chain}/${record.seq}`,
    catalogue: recorded.catalogue,
    webhook: recorded.webhook,
    askedBy: recorded.request.user.username,
    recorded: recorded.verdict,
    same,
    problems: verdict.problems.map(({ code, path, message, mend }) => ({ code, path, message, mend: mend ?? null })),
  })}\n`;

function asText({ record, recorded, verdict, same }: Replayed): string {
  const { identity } = verdict;
  const who = identity
    ? `role ${identity.role.name}, segment ${identity.segment.name}, ${identity.spiffeId}`
    : "no role";
  const lines = [
    `${verdict.decision.padEnd(6)} ${record.subject}  ${who}`,
    `       at ${formatInstant(record.at)}, by ${recorded.webhook}, asked by ${recorded.request.user.username || "nobody known"}`,
    ...verdict.problems.flatMap(({ code, path, message, mend }) => [
      `       ${code} ${path === "" ? "" : `${path}: `}${message}`,
      ...(mend === undefined ? [] : [`         ${mend}`]),
    ]),
    same
      ? `Replayed from record ${record.chain}/${record.seq} and catalogue ${recorded.catalogue.slice(0, 12)}: the same verdict.`
      : `Record ${record.chain}/${record.seq} says ${recorded.verdict.decision} (${recorded.verdict.codes.join(", ") || "no problems"}): this Signet judges differently from the one that wrote it.`,
  ];
  return `${lines.join("\n")}\n`;
}

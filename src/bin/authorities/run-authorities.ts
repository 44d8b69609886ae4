import { AuthorityKeeper, type Authorities, type KeeperParts } from "../../ca/authority-keeper.ts";
import { KeyUnavailable } from "../../ca/keys/key-store.ts";
import { toPem } from "../../ca/pem.ts";
import { recordOf } from "../../ca/record-of-step.ts";
import { ok, problem, type Problem, problemLine, refuse, type Result } from "../../domain/problem.ts";
import type { Log } from "../../http/services.ts";
import { authorityStatus } from "../../reconcile/authority/status.ts";
import type { Entry } from "../../store/chain.ts";
import { renderAuthorityRecord } from "../../wire/authority-record.ts";
import {
  type AuthorityAnswer,
  type AuthorityWish,
  readAuthorityAsk,
  renderAuthorityMessage,
} from "../../wire/authority-ask.ts";
import type { AuthorityStatus } from "../../wire/authority-status.ts";
import type { TokenKeys } from "../issuing/keys.ts";

/** Where people put what they ask for, and find the answer; both as JSON. */
export type AskBox = {
  /** What was asked and not answered yet. */
  readonly take: () => Promise<string | undefined>;
  /** Puts the answer to an ask there and takes that ask away; a newer one stays. */
  readonly answer: (ask: string, text: string) => Promise<void>;
};

/** What keeps authorities in a server. */
export type AuthoritiesParts = Omit<KeeperParts, "trustDomain" | "served" | "record"> & {
  /** Undefined while the catalogue has no TrustDomain `local`: an authority for a name by default would be one too many. */
  readonly trustDomain: () => string | undefined;
  /** Whether this replica makes the steps; all others only read. */
  readonly isWriter: () => boolean;
  /** What publication is known to have; left out, a bundle is served as soon as it is kept. */
  readonly served?: KeeperParts["served"];
  readonly asks: AskBox;
  readonly tokens: Pick<TokenKeys, "condemn">;
  readonly record: (entry: Entry) => Promise<void>;
  readonly log: Log;
  /** Hears what there is to show after each reading and each step. */
  readonly changed?: (status: AuthorityStatus) => void;
  /** How often the vault, and how often the box is looked at, in milliseconds. */
  readonly everyMs: number;
  readonly asksEveryMs: number;
};

/** Authorities while the server runs. */
export type RunningAuthorities = {
  /** Undefined before the first reading. */
  readonly current: () => Authorities | undefined;
  /** What people are shown; undefined before the first reading. */
  readonly status: () => AuthorityStatus | undefined;
  /** Looks again now; resolves when all that can be done now is done. */
  readonly look: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/**
 * Reads the vault again and again, and as the writer makes what steps are due and what people ask for. A failure is logged
 * and tried again.
 */
export function runAuthorities(parts: AuthoritiesParts): RunningAuthorities {
  let keeper: AuthorityKeeper | undefined;
  let turn = Promise.resolve();
  const inTurn = (work: () => Promise<void>, failed: string): Promise<void> => {
    turn = turn.then(work).catch((fault: unknown) => parts.log.error({ err: fault }, failed));
    return turn;
  };
  const look = async (): Promise<void> => {
    keeper ??= keeperOf(parts);
    if (!keeper) return;
    await keeper.refresh();
    parts.changed?.(statusOf(keeper));
    if (parts.isWriter()) await workAll(keeper, parts);
  };
  const follow = async (): Promise<void> => {
    if (parts.isWriter()) await answerAsk(keeper, parts);
  };
  const looked = (): Promise<void> => inTurn(look, "The authorities could not be looked at.");
  const timers = [
    setInterval(() => void looked(), parts.everyMs),
    setInterval(() => void inTurn(follow, "What was asked for could not be followed."), parts.asksEveryMs),
  ];
  for (const timer of timers) timer.unref();
  return {
    current: () => keeper?.current(),
    status: () => keeper && statusOf(keeper),
    look: looked,
    stop: () => {
      for (const timer of timers) clearInterval(timer);
      return turn;
    },
  };
}

const statusOf = (keeper: AuthorityKeeper): AuthorityStatus => {
  const { set, bundle } = keeper.current();
  return authorityStatus(bundle.trustDomain, set, keeper.world());
};

function keeperOf({ trustDomain, served, record, ...parts }: AuthoritiesParts): AuthorityKeeper | undefined {
  const name = trustDomain();
  if (name === undefined) return undefined;
  const keeper: AuthorityKeeper = new AuthorityKeeper({
    ...parts,
    trustDomain: name,
    served: served ?? (() => keeper.current().bundle.sequence),
    record: (line) =>
      record({ kind: "authority", subject: line.id ?? "", at: parts.now(), body: renderAuthorityRecord(line) }),
  });
  return keeper;
}

/** Far more steps than any rotation has at one moment. */
const MOST = 16;

async function workAll(keeper: AuthorityKeeper, parts: AuthoritiesParts): Promise<void> {
  for (let count = 0; count < MOST; count++) {
    const step = await keeper.work();
    if (!step) return;
    told(keeper, step, parts);
  }
}

async function answerAsk(keeper: AuthorityKeeper | undefined, parts: AuthoritiesParts): Promise<void> {
  const text = await parts.asks.take();
  if (text === undefined) return;
  const read = readAuthorityAsk(text);
  if (!read.ok) return parts.asks.answer(text, renderAuthorityMessage({ ask: "", problems: answered(read.problems) }));
  const { ask, wish } = read.value;
  const done = keeper
    ? await granted(keeper, wish, parts).catch((fault: unknown) => failed(fault, parts))
    : NO_TRUST_DOMAIN;
  if (!done.ok)
    parts.log.warn({ step: wish.step, why: done.problems.map(problemLine) }, "A step that was asked for was refused.");
  const answer: AuthorityAnswer = done.ok
    ? { ask, problems: [], ...done.value }
    : { ask, problems: answered(done.problems) };
  await parts.asks.answer(text, renderAuthorityMessage(answer));
}

const NO_TRUST_DOMAIN = refuse("AUTHORITY_UNAVAILABLE", "", "There is no TrustDomain named local yet.", "Define one.");

const answered = (problems: readonly Problem[]): AuthorityAnswer["problems"] =>
  problems.map(({ code, path, message, mend }) => problem(code, path, message, mend));

/** Whatever fails is answered: an ask that stays is followed again and again, with a key and a record each time. */
function failed(fault: unknown, { log }: AuthoritiesParts): Granted {
  if (fault instanceof KeyUnavailable) {
    const why = `The key cannot be made or used: ${fault.message}.`;
    return refuse("AUTHORITY_UNAVAILABLE", "", why, "Bring the token back.");
  }
  log.error({ err: fault }, "What was asked for could not be followed.");
  return refuse(
    "INTERNAL",
    "",
    "The step failed on its way.",
    "The server's log says why; `signet ca status` shows how far it came.",
  );
}

type Granted = Result<Pick<AuthorityAnswer, "csr">>;

async function granted(keeper: AuthorityKeeper, wish: AuthorityWish, parts: AuthoritiesParts): Promise<Granted> {
  await keeper.refresh();
  if (wish.step === "csr") {
    const csr = await keeper.requestChain();
    return csr.ok ? ok({ csr: toPem("CERTIFICATE REQUEST", csr.value) }) : csr;
  }
  if (wish.step === "condemnTokens") return condemnTokens(keeper, parts);
  const made = wish.step === "import" ? await keeper.importChain(wish.chain) : await keeper.step(wish);
  if (!made.ok) return made;
  told(keeper, wish, parts);
  await workAll(keeper, parts);
  return ok({});
}

async function condemnTokens(
  keeper: AuthorityKeeper,
  { tokens, record, now, log }: AuthoritiesParts,
): Promise<Granted> {
  const { set } = keeper.current();
  const line = recordOf({ step: "condemnTokens" }, set);
  const done = await tokens.condemn((tokenKeys, came) => {
    const body = renderAuthorityRecord({ ...line, tokenKeys, ...came });
    return record({ kind: "authority", subject: "tokens", at: now(), body });
  });
  if (!done.ok) return done;
  log.info({}, "The keys for tokens were dropped, and a new one signs.");
  return ok({});
}

/** Each step is in the ledger before it is made, and in the log after. */
function told(keeper: AuthorityKeeper, step: { readonly step: string }, { log, changed }: AuthoritiesParts): void {
  const { set } = keeper.current();
  const authorities = set.authorities.map(({ id, state }) => ({ id, state }));
  log.info({ step: step.step, authorities, sequence: set.sequence }, "The authorities have changed.");
  changed?.(statusOf(keeper));
}

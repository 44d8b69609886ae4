import { AuthorityKeeper, type Authorities, type KeeperParts } from "../../ca/authority-keeper.ts";
import { problemLine, refuse, type Result } from "../../domain/problem.ts";
import type { Log } from "../../http/services.ts";
import type { AuthoritySet } from "../../reconcile/authority/authority-set.ts";
import type { Step } from "../../reconcile/authority/steps.ts";
import type { Entry } from "../../store/chain.ts";
import { renderAuthorityRecord } from "../../wire/authority-record.ts";

/** What keeps authorities in a server. */
export type AuthoritiesParts = Omit<KeeperParts, "trustDomain" | "served" | "record"> & {
  /** Undefined while the catalogue has no TrustDomain `local`: an authority for a name by default would be one too many. */
  readonly trustDomain: () => string | undefined;
  /** Whether this replica makes the steps; all others only read. */
  readonly isWriter: () => boolean;
  /** What publication is known to have; left out, a bundle is served as soon as it is kept. */
  readonly served?: KeeperParts["served"];
  readonly record: (entry: Entry) => Promise<void>;
  readonly log: Log;
  /** Hears of each snapshot that was read. */
  readonly changed?: (authorities: Authorities) => void;
  /** How often the vault is looked at, in milliseconds. */
  readonly everyMs?: number;
};

/** Authorities while the server runs. */
export type RunningAuthorities = {
  /** Undefined before the first reading. */
  readonly current: () => Authorities | undefined;
  /** Makes a step that a person asked for. */
  readonly ask: (step: Step) => Promise<Result<AuthoritySet>>;
  /** Looks again now; resolves when all that can be done now is done. */
  readonly look: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const EVERY_MS = 20_000;

/** Reads the vault again and again, and as the writer makes what steps are due. A failure is logged and tried again. */
export function runAuthorities(parts: AuthoritiesParts): RunningAuthorities {
  let keeper: AuthorityKeeper | undefined;
  let turn = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  };
  const look = async (): Promise<void> => {
    keeper ??= keeperOf(parts);
    if (!keeper) return;
    await keeper.refresh();
    parts.changed?.(keeper.current());
    if (parts.isWriter()) await workAll(keeper, parts);
  };
  const looked = (): Promise<void> =>
    inTurn(look).catch((fault: unknown) => parts.log.error({ err: fault }, "The authorities could not be looked at."));
  const timer = setInterval(() => void looked(), parts.everyMs ?? EVERY_MS);
  timer.unref();
  return {
    current: () => keeper?.current(),
    ask: (step) => inTurn(() => asked(keeper, step, parts)),
    look: looked,
    stop: () => {
      clearInterval(timer);
      return turn;
    },
  };
}

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

async function asked(
  keeper: AuthorityKeeper | undefined,
  step: Step,
  parts: AuthoritiesParts,
): Promise<Result<AuthoritySet>> {
  if (!keeper) return refuse("AUTHORITY_UNAVAILABLE", "", "There is no TrustDomain named local yet.", "Define one.");
  await keeper.refresh();
  const made = await keeper.step(step);
  if (made.ok) told(keeper, step, parts);
  else
    parts.log.warn({ step: step.step, why: made.problems.map(problemLine) }, "A step that was asked for was refused.");
  return made;
}

/** Each step is in the ledger before it is made, and in the log after. */
function told(keeper: AuthorityKeeper, step: { readonly step: string }, { log, changed }: AuthoritiesParts): void {
  const current = keeper.current();
  const { set } = current;
  const authorities = set.authorities.map(({ id, state }) => ({ id, state }));
  log.info({ step: step.step, authorities, sequence: set.sequence }, "The authorities have changed.");
  changed?.(current);
}

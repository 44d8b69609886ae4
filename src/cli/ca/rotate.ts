import { ok, problem, refuse, type Result } from "../../domain/problem.ts";
import type { AuthorityWish } from "../../wire/authority-ask.ts";
import type { AuthorityStatus, ShownAuthority } from "../../wire/authority-status.ts";
import { badInput } from "../action.ts";
import type { ExitCode, Io } from "../io.ts";
import type { AuthorityAccess, CaTools, Where } from "./access.ts";
import { compromisePlan } from "./compromise.ts";

/** What `signet ca rotate` was asked for. */
export type RotateFlags = Where & {
  readonly plan?: true;
  readonly pause?: true;
  readonly resume?: true;
  readonly withdraw?: true;
  readonly rollback?: true;
  /** An authority's identifier, or its beginning; `true` for the active one. */
  readonly compromised?: string | true;
  readonly remove: "renewed" | "now";
  /** The keys for tokens are meant, and no authority. */
  readonly tokens?: true;
  readonly yes?: true;
};

/** In the order in which flags are looked at; without any, a new authority is asked for. */
const WISHES: readonly (readonly [keyof RotateFlags, (status: AuthorityStatus) => Result<AuthorityWish>])[] = [
  ["pause", () => ok({ step: "pause" })],
  ["resume", () => ok({ step: "resume" })],
  ["withdraw", (status) => inState("withdraw", status, ["published", "prepared"])],
  ["rollback", (status) => inState("activate", status, ["tainted"])],
];

/** Asks for a step, or says what would follow. */
export async function rotateBy(io: Io, tools: CaTools, flags: RotateFlags): Promise<ExitCode> {
  if (flags.tokens) return condemnTokens(io, tools, flags);
  if (flags.plan && flags.compromised === undefined) {
    io.out(PLAN);
    return 0;
  }
  const access = await tools.open(flags);
  if (!access.ok) return badInput(io, access.problems);
  const status = await access.value.status();
  if (!status.ok) return badInput(io, status.problems);
  if (flags.compromised !== undefined) return condemn(io, access.value, status.value, flags);
  const [, make] = WISHES.find(([flag]) => flags[flag] === true) ?? [];
  const wish = make ? make(status.value) : ok<AuthorityWish>({ step: "request" });
  return wish.ok ? asked(io, access.value, wish.value) : badInput(io, wish.problems);
}

async function asked(io: Io, access: AuthorityAccess, wish: AuthorityWish): Promise<ExitCode> {
  const done = await access.ask(wish);
  if (!done.ok) return badInput(io, done.problems);
  io.out("Done. `signet ca status` shows what follows.\n");
  return 0;
}

/** The plan is always printed; nothing is done without --yes. */
async function condemn(
  io: Io,
  access: AuthorityAccess,
  status: AuthorityStatus,
  flags: RotateFlags,
): Promise<ExitCode> {
  const found = stolen(status, flags.compromised);
  if (!found.ok) return badInput(io, found.problems);
  const { remove } = flags;
  io.out(compromisePlan(status, found.value, remove, io.now()));
  if (flags.yes && !flags.plan) return asked(io, access, { step: "condemn", id: found.value.id, remove });
  io.out("\nNothing was done. With --yes it is.\n");
  return 0;
}

/** They turn by themselves, and are kept together: there is nothing to ask for but that all of them go. */
async function condemnTokens(io: Io, tools: CaTools, flags: RotateFlags): Promise<ExitCode> {
  if (flags.compromised !== true) return badInput(io, ONLY_STOLEN);
  io.out(TOKENS_PLAN);
  if (flags.yes && !flags.plan) {
    const access = await tools.open(flags);
    const done = access.ok ? await access.value.ask({ step: "condemnTokens" }) : access;
    if (!done.ok) return badInput(io, done.problems);
    io.out("\nDone.\n");
    return 0;
  }
  io.out("\nNothing was done. With --yes it is.\n");
  return 0;
}

const ONLY_STOLEN = [
  problem(
    "USAGE",
    "--tokens",
    "Keys for tokens turn by themselves every week, and are dropped all together.",
    "Where one was stolen: `signet ca rotate --tokens --compromised`, without an authority's identifier.",
  ),
];

function stolen({ authorities }: AuthorityStatus, named: string | true | undefined): Result<ShownAuthority> {
  const fitting = authorities.filter(({ id, state }) =>
    typeof named === "string" ? id.startsWith(named) : state === "active",
  );
  const [only, ...more] = fitting;
  if (only && more.length === 0) return ok(only);
  const what = typeof named === "string" ? `one authority begins with ${named}` : "one authority is active";
  return refuse("USAGE", "--compromised", `Not exactly ${what}.`, "`signet ca status` lists them.");
}

function inState(
  step: "withdraw" | "activate",
  { authorities }: AuthorityStatus,
  states: readonly string[],
): Result<AuthorityWish> {
  const found = authorities.findLast(({ state, compromised }) => states.includes(state) && compromised === undefined);
  if (found) return ok({ step, id: found.id });
  return refuse("ROTATION_REFUSED", "", `No authority is ${states.join(" or ")}.`, "`signet ca status` lists them.");
}

const PLAN = `1. prepare   A root and an issuing authority are made; the root's key signs once and is forgotten.
             Below an offline root: \`signet ca csr\`, \`sign\` and \`import\` bring it.
2. publish   The root joins the bundle. Nothing is signed below it yet.
3. wait      15 minutes from when every place of publication has it, and until nobody who can be asked lacks it.
4. activate  New certificates are signed by it. The old authority is tainted: it signs no more.
5. re-issue  Holders renew at half of a certificate's life; those that are told do so within 30 minutes.
6. revoke    The old root leaves the bundle when all that it stands above has ended, and a day has passed on top.
7. prune     A day later the old authority is forgotten.
Until step 4 \`--withdraw\` takes the new authority back; until step 6 \`--rollback\` lets the old one sign again.
`;

const TOKENS_PLAN = `The keys for tokens are in wrong hands, all of them: they are kept together.

at once            They leave bundle and key set, in other replicas within 5 seconds, and are destroyed here. A new key signs.

Who breaks, until when:
- every holder of a token, at most an hour old: until it asks for another one
- every verifier that keeps the keys, towards new tokens: until it reads them again; by the bundle's word after 5 minutes
- nobody else; but until then such a verifier takes a forged token for a true one: have it read the keys again
`;

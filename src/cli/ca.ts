import { join } from "node:path";
import type { Command } from "commander";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { type AuthorityAsk } from "../wire/authority-ask.ts";
import { type AuthorityStatus, readAuthorityStatus } from "../wire/authority-status.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { DEFAULT_STATE } from "./ledger.ts";
import { outputOption, withExamples } from "./options.ts";
import { table } from "./table.ts";

type StatusFlags = { readonly state: string; readonly output: string };
type RotateFlags = {
  readonly state: string;
  readonly plan?: boolean;
  readonly pause?: boolean;
  readonly resume?: boolean;
  readonly withdraw?: boolean;
  readonly rollback?: boolean;
};

/** Adds `signet ca status` and `signet ca rotate`. */
export function addCaCommand(program: Command, io: Io, outcome: Outcome): void {
  const ca = program.command("ca").summary("watch and rotate the certificate authority").description(ABOUT);
  const status = ca
    .command("status")
    .description("Prints every authority of a standalone server, where it stands, and what it waits for.")
    .option("--state <dir>", "the server's state folder", DEFAULT_STATE)
    .addOption(outputOption(["text", "json"]))
    .action((flags: StatusFlags) => {
      outcome.code = showStatus(io, flags);
    });
  withExamples(status, ["ca status", "ca status --state /var/lib/signet -o json"]);
  const rotate = ca
    .command("rotate")
    .description("Asks a running standalone server for a new authority. It then goes from step to step by itself.")
    .option("--state <dir>", "the server's state folder", DEFAULT_STATE)
    .option("--plan", "only say which steps there will be, and what each waits for")
    .option("--pause", "stop where it is")
    .option("--resume", "go on after --pause")
    .option("--withdraw", "take back an authority that does not sign yet")
    .option("--rollback", "let the authority sign again that signed before")
    .action((flags: RotateFlags) => {
      outcome.code = rotateBy(io, flags);
    });
  withExamples(rotate, ["ca rotate --plan", "ca rotate", "ca rotate --rollback"]);
}

const ABOUT =
  "An authority is prepared, published, made active, tainted, revoked and forgotten, in this order and never faster than readers can follow, so that no handshake fails.";

const statusAt = (io: Io, state: string): Result<AuthorityStatus> => {
  const read = io.readInputs([join(state, "authorities", "status.json")]);
  const [file] = read.ok ? read.value : [];
  if (file) return readAuthorityStatus(file.text);
  return refuse(
    "FILE_UNREADABLE",
    "--state",
    `There is no status of authorities in ${state}.`,
    "Name the state folder of a standalone server that has run with a TrustDomain; in a cluster: kubectl get trustdomain local -o yaml",
  );
};

function showStatus(io: Io, { state, output }: StatusFlags): ExitCode {
  const status = statusAt(io, state);
  if (!status.ok) return badInput(io, status.problems);
  const { trustDomain, sequence, paused, authorities } = status.value;
  if (output === "json") io.out(`${JSON.stringify(status.value)}\n`);
  else {
    const rows = authorities.map(({ id, state, notAfter, waits }) => [id.slice(0, 16), state, notAfter, waits]);
    io.out(`Trust domain ${trustDomain}, bundle ${sequence}${paused ? ", rotation paused" : ""}\n`);
    io.out(table([["AUTHORITY", "STATE", "ENDS", "NEXT WHEN"], ...rows]));
  }
  return authorities.some(({ state }) => state === "active") ? 0 : 3;
}

/** In the order in which flags are looked at; without any, a new authority is asked for. */
const ASKS: readonly (readonly [keyof RotateFlags, (status: AuthorityStatus) => Result<AuthorityAsk>])[] = [
  ["pause", () => ok({ step: "pause" })],
  ["resume", () => ok({ step: "resume" })],
  ["withdraw", (status) => named("withdraw", status, ["published", "prepared"])],
  ["rollback", (status) => named("activate", status, ["tainted"])],
];

function rotateBy(io: Io, flags: RotateFlags): ExitCode {
  if (flags.plan === true) {
    io.out(PLAN);
    return 0;
  }
  const status = statusAt(io, flags.state);
  if (!status.ok) return badInput(io, status.problems);
  const [, make] = ASKS.find(([flag]) => flags[flag] === true) ?? [];
  const ask = make ? make(status.value) : ok<AuthorityAsk>({ step: "request" });
  if (!ask.ok) return badInput(io, ask.problems);
  const written = io.writeFile(join(flags.state, "authorities", "ask.json"), `${JSON.stringify(ask.value)}\n`);
  if (!written.ok) return badInput(io, written.problems);
  io.out("Asked. `signet ca status` shows what comes of it; the server's log says why, where it refuses.\n");
  return 0;
}

function named(
  step: "withdraw" | "activate",
  { authorities }: AuthorityStatus,
  states: readonly string[],
): Result<AuthorityAsk> {
  const found = authorities.findLast(({ state }) => states.includes(state));
  if (found) return ok({ step, id: found.id });
  return refuse("ROTATION_REFUSED", "", `No authority is ${states.join(" or ")}.`, "`signet ca status` lists them.");
}

const PLAN = `1. prepare   A root and an issuing authority are made; the root's key signs once and is forgotten.
2. publish   The root joins the bundle. Nothing is signed below it yet.
3. wait      15 minutes from when every place of publication has it, and until nobody who can be asked lacks it.
4. activate  New certificates are signed by it. The old authority is tainted: it signs no more.
5. re-issue  Holders renew at half of a certificate's life; those that are told do so within 30 minutes.
6. revoke    The old root leaves the bundle when all that it stands above has ended, and a day has passed on top.
7. prune     A day later the old authority is forgotten.
Until step 4 \`--withdraw\` takes the new authority back; until step 6 \`--rollback\` lets the old one sign again.
`;

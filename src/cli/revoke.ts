import type { Command } from "commander";
import type { RestrictionTarget } from "../domain/definitions.ts";
import { formatInstant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { type IssuedCertificate, stillTrusted } from "../identity/still-trusted.ts";
import { readRestriction } from "../wire/definitions/readers.ts";
import { readIssuanceRecord } from "../wire/issuance-record.ts";
import { readObjects } from "../wire/objects.ts";
import { yamlStream } from "../wire/yaml-text.ts";
import { badInput, type Outcome } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { type LedgerView, withLedger } from "./ledger.ts";
import { withExamples } from "./options.ts";
import { table } from "./table.ts";

type RevokeFlags = {
  readonly name?: string;
  readonly reason: string;
  readonly ticket?: string;
  readonly state?: string;
} & Readonly<Record<string, string | undefined>>;

/** Flag → field of the target; those after the first four take NAMESPACE/NAME, or a node's name. */
const TARGETS = {
  identity: "identity",
  serial: "serial",
  segment: "segment",
  role: "role",
  pod: "pod",
  vm: "virtualMachine",
  node: "node",
} as const;

/** Adds `signet revoke`. */
export function addRevokeCommand(program: Command, io: Io, outcome: Outcome): void {
  const command = program
    .command("revoke")
    .summary("print the Restriction that ends certificates, and who trusts them until when")
    .description(ABOUT)
    .option("--identity <spiffe-id>", "whoever holds this identity")
    .option("--serial <hex>", "one certificate")
    .option("--segment <name>", "all of a segment")
    .option("--role <name>", "all that hold a role")
    .option("--pod <namespace/name>", "one Pod")
    .option("--vm <namespace/name>", "one virtual machine")
    .option("--node <name>", "all that runs on a node")
    .requiredOption("--reason <text>", "why")
    .option("--ticket <id>", "where it was decided")
    .option("--name <name>", "name of the Restriction [r-DATE-TIME]")
    .option("--state <dir>", "the server's state folder: its ledger says which certificates have not ended")
    .action(async (flags: RevokeFlags) => {
      outcome.code = await revoke(io, flags);
    });
  withExamples(command, [
    "revoke --identity spiffe://prod.example.org/ns/pay/sa/orders-db --reason 'key in a log' | kubectl apply -f -",
    "revoke --serial 4a01fe --reason test --state .signet > .signet/catalogue/r-1.yaml",
  ]);
}

const ABOUT =
  "Prints a Restriction, ready for `kubectl apply -f -` or a catalogue's folder. From when it is in force nothing is issued to whom it names, and our doors refuse its certificates. Who verifies by the bundle alone trusts them until they end: with --state they are listed.";

async function revoke(io: Io, flags: RevokeFlags): Promise<ExitCode> {
  const target = targetOf(flags);
  if (!target.ok) return badInput(io, target.problems);
  const text = yamlStream([restrictionOf(io, flags, target.value)]);
  const checked = checkedTarget(text);
  if (!checked.ok) return badInput(io, checked.problems);
  io.out(text);
  return flags.state === undefined ? 0 : withLedger(io, flags.state, (view) => tell(io, view, checked.value));
}

type Written = { readonly field: (typeof TARGETS)[keyof typeof TARGETS]; readonly value: string | object };

function targetOf(flags: RevokeFlags): Result<Written> {
  const given = Object.entries(TARGETS).filter(([flag]) => flags[flag] !== undefined);
  const [only] = given;
  if (!only || given.length > 1)
    return refuse(
      "USAGE",
      "",
      "A Restriction concerns exactly one target.",
      `Give one of --${Object.keys(TARGETS).join(", --")}.`,
    );
  const [flag, field] = only;
  const value = flags[flag] ?? "";
  if (field === "node") return ok({ field, value: { name: value } });
  return field === "pod" || field === "virtualMachine" ? namedObject(flag, field, value) : ok({ field, value });
}

function namedObject(flag: string, field: "pod" | "virtualMachine", value: string): Result<Written> {
  const [namespace = "", name = "", ...more] = value.split("/");
  if (namespace !== "" && name !== "" && more.length === 0) return ok({ field, value: { namespace, name } });
  return refuse("USAGE", `--${flag}`, `"${value}" is not NAMESPACE/NAME.`, "Write both, with a slash between them.");
}

const restrictionOf = (io: Io, { name, reason, ticket }: RevokeFlags, { field, value }: Written): object => ({
  apiVersion: "signet.dev/v1alpha1",
  kind: "Restriction",
  metadata: { name: name ?? `r-${formatInstant(io.now()).replace(/[:T]/g, "-").replace("Z", "").toLowerCase()}` },
  spec: { target: { [field]: value }, effect: "revoke", reason, ...(ticket === undefined ? {} : { ticket }) },
});

/** What is printed is read as a server would read it. */
function checkedTarget(text: string): Result<RestrictionTarget> {
  const objects = readObjects([{ name: "restriction", text }]);
  if (!objects.ok) return objects;
  const [object] = objects.value.objects;
  if (!object) throw new Error("a Restriction was rendered to nothing");
  const read = readRestriction(object);
  return read.ok ? ok(read.value.target) : read;
}

const DOORS =
  "Our doors refuse it as soon as the Restriction stands. /v1/crl names a serial number, or what its servers find in their own ledgers.\n";

/** Who trusts what until when, to standard error, so that standard output stays YAML. */
function tell(io: Io, view: LedgerView, target: RestrictionTarget): ExitCode {
  const issued = view.records({ kind: "issuance" }).flatMap((line): IssuedCertificate[] => {
    const read = readIssuanceRecord(line);
    return read?.outcome === "issued" ? [read] : [];
  });
  const living = stillTrusted(issued)(target, io.now());
  io.err(DOORS);
  if (living.length === 0) io.err("No certificate of this ledger that it names is still trusted by anybody.\n");
  else {
    io.err("Whoever verifies by the bundle alone trusts until:\n");
    const rows = living.map((each) => [formatInstant(each.notAfter), each.serial, each.spiffeId, each.subject]);
    io.err(table([["UNTIL", "SERIAL", "IDENTITY", "HOLDER"], ...rows]));
  }
  return 0;
}

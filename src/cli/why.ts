import type { Command } from "commander";
import type { SignedGrants } from "../domain/grants.ts";
import { ok, type Result } from "../domain/problem.ts";
import { yamlText } from "../wire/yaml-text.ts";
import { badInput, type Outcome } from "./action.ts";
import { addGrantOptions, type GrantOptions, readGrants } from "./grants.ts";
import type { ExitCode, Io } from "./io.ts";
import { DEFAULT_STATE, withLedger } from "./ledger.ts";
import { cataloguePath, noCatalogue } from "./load-catalogue.ts";
import { atOption, catalogueOption, outputOption, withExamples } from "./options.ts";
import { judgeAll, readReviewInput, type ReviewTerms } from "./review-input.ts";
import { replay } from "./replay.ts";
import { type CertReport, certReport, certText } from "./why-cert.ts";
import { type WhyReport, whyReport } from "./why-report.ts";
import { whyText } from "./why-text.ts";
import { findWorkload, fullKind, readQuery } from "./workload-query.ts";

type Options = ReviewTerms &
  GrantOptions & {
    readonly filename?: readonly string[];
    readonly output: "text" | "json";
    readonly state?: string;
  };

/** Adds `signet why`. */
export function addWhyCommand(program: Command, io: Io, outcome: Outcome): void {
  const command = program
    .command("why")
    .summary("explain one workload's verdict")
    .description(
      "Explains the verdict on one workload: which roles came into question and what kept each from fitting, which definitions decided, and for each problem the rule and the command that mends it.",
    )
    .argument("<workload>", "KIND/NAME, for example deploy/orders, pod/orders-0 or vm/orders-db")
    .option("-f, --filename <path...>", "files or folders that hold the workload; left out: the catalogue's folder")
    .addOption(catalogueOption())
    .addOption(outputOption(["text", "json"]))
    .option("-n, --namespace <name>", "namespace of the workload")
    .option("--as <user>", "judge as if this user created it")
    .option("--require-approval", "refuse what is not known to be approved")
    .addOption(atOption())
    .option("--state <dir>", "replay the verdict that the ledger in this server's state folder holds")
    .action(async (workload: string, options: Options) => {
      const state = ledgerFolder(io, options);
      outcome.code =
        state === undefined ? await runWhy(io, workload, options) : await runReplay(io, workload, options, state);
    });
  addGrantOptions(command);
  withExamples(command, [
    "why deploy/orders -f deploy/ --catalogue policy/",
    "why vm/orders-db -n payments -f vms.yaml -c policy/ --output json",
    "why pod/build-1 -f pod.yaml -c policy/ --as system:serviceaccount:ci:builder",
    "why pod/cart-1 -n shop --at 2027-01-31T12:00:00Z --state .signet",
    "why cert payments/orders-db-0",
  ]);
  addWhyCert(command, io, outcome);
}

const ABOUT_CERT =
  "Tells from a server's ledger who asked for a certificate, by which door and on what ground, what it renewed and what renewed it, until when it holds, and which Restrictions name it; for a Pod also what was refused, and why.";

function addWhyCert(why: Command, io: Io, outcome: Outcome): void {
  const command = why
    .command("cert")
    .summary("explain a certificate, or a missing one")
    .description(ABOUT_CERT)
    .argument("<serial|pod>", "serial number in hexadecimal, or a Pod as NAMESPACE/NAME")
    .option("--state <dir>", "the server's state folder", DEFAULT_STATE)
    .addOption(outputOption(["text", "json", "yaml"]))
    .action(async (asked: string, { state, output }: { readonly state: string; readonly output: CertFormat }) => {
      outcome.code = await withLedger(io, state, (view) => {
        const report = certReport(view, asked, io.now());
        if (!report.ok) return badInput(io, report.problems);
        io.out(CERT_FORMATS[output](report.value));
        return report.value.certificates.length > 0 ? 0 : 3;
      });
    });
  withExamples(command, ["why cert 4c1f…", "why cert payments/orders-db-0 --state /var/lib/signet -o json"]);
}

const CERT_FORMATS = {
  text: certText,
  json: (report: CertReport) => `${JSON.stringify(report, null, 2)}\n`,
  yaml: (report: CertReport) => yamlText(report),
} as const;
type CertFormat = keyof typeof CERT_FORMATS;

/** The ledger is asked where it is named, or where a moment is and neither files nor a catalogue are. */
function ledgerFolder(io: Io, { state, at, filename, catalogue }: Options): string | undefined {
  if (state !== undefined) return state;
  const named = filename !== undefined || cataloguePath(io, catalogue) !== undefined;
  return at !== undefined && !named ? DEFAULT_STATE : undefined;
}

function runReplay(io: Io, workload: string, options: Options, state: string): Promise<ExitCode> {
  const query = readQuery(workload, options.namespace);
  const kind = query.ok ? fullKind(query.value.kind) : query;
  if (!query.ok || !kind.ok) return Promise.resolve(badInput(io, kind.ok ? [] : kind.problems));
  const { name, namespace = "default" } = query.value;
  const asked = { kindName: `${kind.value}/${name}`, namespace, at: options.at ?? io.now(), output: options.output };
  return withLedger(io, state, (view) => replay(io, view, asked));
}

async function runWhy(io: Io, workload: string, options: Options): Promise<ExitCode> {
  const grants = await readGrants(io, options);
  const report = grants.ok ? reportOn(io, workload, options, grants.value) : grants;
  if (!report.ok) return badInput(io, report.problems);
  io.out(options.output === "json" ? `${JSON.stringify(report.value, null, 2)}\n` : whyText(report.value, io.color));
  return report.value.verdict === "deny" ? 3 : 0;
}

function reportOn(io: Io, workload: string, options: Options, grants: SignedGrants): Result<WhyReport> {
  const query = readQuery(workload, options.namespace);
  if (!query.ok) return query;
  const folder = cataloguePath(io, options.catalogue);
  if (folder === undefined) return noCatalogue();
  const input = readReviewInput(io, options.filename ?? [folder], options, grants);
  if (!input.ok) return input;
  const all = judgeAll(io, input.value, options);
  if (!all.ok) return all;
  const reviewed = findWorkload(all.value, query.value);
  if (!reviewed.ok) return reviewed;
  const { catalogue, definitions, objects } = input.value;
  const now = options.at ?? io.now();
  return ok(whyReport({ catalogue, definitions: [...definitions, ...objects], reviewed: reviewed.value, now, folder }));
}

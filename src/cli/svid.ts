import type { Command } from "commander";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { badInput } from "./action.ts";
import type { ExitCode, Io } from "./io.ts";
import { withExamples } from "./options.ts";
import { printable } from "./spec-diff.ts";
import type { AddCommand } from "./program.ts";

/** What a certificate says, as it is shown. */
export type SvidShown = {
  readonly spiffeId: string;
  readonly serial: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly keyType: string;
  readonly dnsNames: readonly string[];
};

/** What a JWT-SVID says, as it is shown. */
export type TokenShown = {
  readonly spiffeId: string;
  readonly audiences: readonly string[];
  readonly expiresAt: Instant;
  readonly id: string | undefined;
};

/** What is held against: a bundle as its domain publishes it (JSON), or for certificates its roots alone (PEM). */
export type VerifyTerms = { readonly bundle: string; readonly trustDomain: string; readonly now: Instant };

/** An SVID that was fetched: PEM texts. */
export type SvidFetched = { readonly credentials: string; readonly bundle: string; readonly spiffeId: string };

/** How an SVID is fetched: where, by which token or SVID (PEM, with its key), and by whose word the server is believed. */
export type SvidAsking = {
  readonly server: string;
  readonly credential: { readonly token: string } | { readonly svid: string };
  readonly authority: string;
};

/** What the commands need of certificates; bin/ provides it. */
export type SvidTools = {
  readonly invite: (state: string, whom: { readonly namespace: string; readonly name: string }, now: Instant) => string;
  readonly read: (pem: string) => Result<SvidShown>;
  /** Verifies a chain, PEM, by the bundle of one trust domain. */
  readonly verify: (pem: string, terms: VerifyTerms) => Promise<Result<SvidShown>>;
  /** Verifies a JWT-SVID by the bundle of one trust domain, for one audience. */
  readonly verifyToken: (
    token: string,
    terms: VerifyTerms & { readonly audience: string },
  ) => Promise<Result<TokenShown>>;
  readonly fetch: (asking: SvidAsking) => Promise<Result<SvidFetched>>;
  /** Writes a file that only its owner reads, whole. */
  readonly writeKey: (path: string, text: string) => Result<undefined>;
};

/** Opened only when a command runs. */
export type OpenSvidTools = () => Promise<SvidTools>;

type Options = {
  readonly state: string;
  readonly bundle: string;
  readonly trustDomain: string;
  readonly audience?: string;
  readonly server: string;
  readonly tokenFile?: string;
  readonly svid?: string;
  readonly ca: string;
  readonly out: string;
};

type Run = (io: Io, tools: SvidTools, argument: string, options: Options) => Promise<ExitCode> | ExitCode;

/** Adds `signet svid show`, `verify`, `fetch` and `invite`. */
export const svidCommand =
  (open: OpenSvidTools): AddCommand =>
  (program, io, outcome) => {
    const svid = program.command("svid").summary("look at certificates, verify them, fetch one").description(ABOUT);
    const running =
      (run: Run) =>
      async (...given: readonly unknown[]): Promise<void> => {
        const [argument, options] = given.length > 2 ? [String(given[0]), given[1]] : ["", given[0]];
        outcome.code = await run(io, await open(), argument, options as Options);
      };
    const showing = svid.command("show").description("Shows what a certificate says; nothing is verified.");
    withExamples(showing.argument("<file>", "PEM file").action(running(show)), ["svid show svid.pem"]);
    const verifying = svid
      .command("verify")
      .description(
        "Verifies a chain as X509-SVID §5 asks, or with --audience a token (JWT-SVID §5), by the bundle of one trust domain: ours or another.",
      )
      .argument("<file>", "PEM file, leaf first; or a file with a token")
      .requiredOption("--bundle <file>", "bundle of the trust domain as it is published (JSON), or its roots (PEM)")
      .requiredOption("--trust-domain <name>", "the trust domain")
      .option("--audience <name>", "the file holds a JWT-SVID for this audience")
      .action(running(verify));
    withExamples(verifying, [
      "svid verify svid.pem --bundle bundle.pem --trust-domain prod.example.org",
      "svid verify token --audience shop --bundle bundle.json --trust-domain partner.example.org",
    ]);
    addFetch(svid, running(fetchOne));
    const inviting = svid
      .command("invite")
      .description(
        "Standalone: prints a token by which a machine or a function fetches its first SVID, once, in ten minutes.",
      )
      .argument("<namespace/name>", "the ExternalWorkload")
      .option("--state <dir>", "the server's state folder", ".signet")
      .action(running(invite));
    withExamples(inviting, ["svid invite payments/db-vm-7 > invitation"]);
  };

/** Adds `signet svid fetch`. */
function addFetch(svid: Command, action: (...given: readonly unknown[]) => Promise<void>): void {
  const fetching = svid
    .command("fetch")
    .description("Fetches an SVID for a new key: `svid.pem` (key and chain) and `bundle.pem`.")
    .requiredOption("--server <url>", "https URL of a Signet server")
    .option("--token-file <file>", "a service account token for audience signet.dev, or an invitation")
    .option("--svid <file>", "the certificate it has, with its key (PEM): to renew it")
    .requiredOption("--ca <file>", "authority of the server's certificate, PEM")
    .option("--out <dir>", "where to write", ".")
    .action(action);
  withExamples(fetching, [
    "svid fetch --server https://127.0.0.1:8443 --token-file invitation --ca .signet/serving/ca.crt",
    "svid fetch --server https://127.0.0.1:8443 --svid svid.pem --ca .signet/serving/ca.crt",
  ]);
}

const ABOUT = "Certificates of workloads (X.509-SVIDs).";

function textOf(io: Io, path: string): Result<string> {
  const read = io.readInputs([path]);
  return read.ok ? ok(read.value.map(({ text }) => text).join("")) : read;
}

function show(io: Io, tools: SvidTools, file: string): ExitCode {
  const text = textOf(io, file);
  const shown = text.ok ? tools.read(text.value) : text;
  return shown.ok ? say(io, shown.value) : badInput(io, shown.problems);
}

async function verify(io: Io, tools: SvidTools, file: string, options: Options): Promise<ExitCode> {
  const [text, bundle] = [textOf(io, file), textOf(io, options.bundle)];
  if (!text.ok) return badInput(io, text.problems);
  if (!bundle.ok) return badInput(io, bundle.problems);
  const { trustDomain, audience } = options;
  const terms = { bundle: bundle.value, trustDomain, now: io.now() };
  if (audience !== undefined)
    return told(io, await tools.verifyToken(text.value.trim(), { ...terms, audience }), sayToken);
  return told(io, await tools.verify(text.value, terms), say);
}

function told<T>(io: Io, verified: Result<T>, shown: (io: Io, value: T) => ExitCode): ExitCode {
  if (verified.ok) return shown(io, verified.value);
  badInput(io, verified.problems);
  return 3;
}

async function fetchOne(io: Io, tools: SvidTools, _argument: string, options: Options): Promise<ExitCode> {
  const [credential, authority] = [credentialOf(io, options), textOf(io, options.ca)];
  if (!credential.ok) return badInput(io, credential.problems);
  if (!authority.ok) return badInput(io, authority.problems);
  const asking = { server: options.server, credential: credential.value, authority: authority.value };
  const fetched = await tools.fetch(asking);
  if (!fetched.ok) {
    badInput(io, fetched.problems);
    return 3;
  }
  const written = tools.writeKey(`${options.out}/svid.pem`, fetched.value.credentials);
  const beside = io.writeFile(`${options.out}/bundle.pem`, fetched.value.bundle);
  if (!written.ok) return badInput(io, written.problems);
  if (!beside.ok) return badInput(io, beside.problems);
  io.out(`${fetched.value.spiffeId}\n`);
  return 0;
}

function credentialOf(io: Io, { tokenFile, svid }: Options): Result<SvidAsking["credential"]> {
  if ((tokenFile === undefined) === (svid === undefined))
    return refuse(
      "USAGE",
      "",
      "Who asks is not said, or said twice.",
      "Write --token-file the first time, then --svid.",
    );
  const read = textOf(io, tokenFile ?? svid ?? "");
  if (!read.ok) return read;
  return ok(tokenFile === undefined ? { svid: read.value } : { token: read.value.trim() });
}

function invite(io: Io, tools: SvidTools, whom: string, { state }: Options): ExitCode {
  const [namespace, name, ...rest] = whom.split("/");
  if (namespace && name && rest.length === 0) {
    io.out(`${tools.invite(state, { namespace, name }, io.now())}\n`);
    return 0;
  }
  const wrong = refuse("USAGE", "", `"${whom}" is not NAMESPACE/NAME.`, "Name one ExternalWorkload.");
  return wrong.ok ? 0 : badInput(io, wrong.problems);
}

type Row = readonly [name: string, value: string];

function rowsOut(io: Io, rows: readonly Row[]): ExitCode {
  for (const [name, value] of rows) io.out(`${name.padEnd(10)}${value}\n`);
  return 0;
}

const say = (io: Io, { spiffeId, serial, notBefore, notAfter, keyType, dnsNames }: SvidShown): ExitCode =>
  rowsOut(io, [
    ["identity", spiffeId],
    ["serial", serial],
    ["holds", `${formatInstant(notBefore)} to ${formatInstant(notAfter)}`],
    ["key", keyType],
    ...(dnsNames.length > 0 ? [["names", dnsNames.join(", ")] as const] : []),
  ]);

/** Names of audiences and of tokens are whatever their issuer wrote. */
const sayToken = (io: Io, { spiffeId, audiences, expiresAt, id }: TokenShown): ExitCode =>
  rowsOut(io, [
    ["identity", spiffeId],
    ["audiences", audiences.map(printable).join(", ")],
    ["ends", formatInstant(expiresAt)],
    ...(id === undefined ? [] : [["id", printable(id)] as const]),
  ]);

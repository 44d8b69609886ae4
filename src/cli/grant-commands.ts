import type { Command } from "commander";
import type { Catalogue } from "../domain/catalogue.ts";
import type { Exception } from "../domain/definitions.ts";
import { capBegins, exceptionCapSeconds } from "../domain/exception-cap.ts";
import { exceptionState } from "../domain/exception-state.ts";
import { isOfNamespace } from "../domain/grants.ts";
import { formatInstant, type Instant } from "../domain/instant.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { type GrantClaims, renderGrant } from "../wire/grant.ts";
import type { KubeObject } from "../wire/objects.ts";
import { badInput, type Outcome } from "./action.ts";
import { permitText } from "./definition-views.ts";
import { granted, keeperOf, readGrants } from "./grants.ts";
import type { ExitCode, Io } from "./io.ts";
import { type Loaded, loadCatalogue } from "./load-catalogue.ts";
import { atOption, catalogueOption } from "./options.ts";
import { spanText } from "./time-text.ts";

const EXIT = "Exit codes: 0 done, 2 bad input, 3 refused.";

/** Adds `signet exceptions keygen|grant|verify`: approval by signature, where no server keeps approvals. */
export function addGrantCommands(program: Command, io: Io, outcome: Outcome): void {
  const parent = program.commands.find((each) => each.name() === "exceptions");
  if (!parent) throw new TypeError("signet exceptions comes first");
  addKeygen(parent).action(async ({ out }: { readonly out: string }) => {
    outcome.code = await keygen(io, out);
  });
  addGrant(parent).action(async (name: string, options: GrantingOptions) => {
    outcome.code = await grant(io, name, options);
  });
  addVerify(parent).action(async (files: string[], options: VerifyOptions) => {
    outcome.code = await verify(io, files, options);
  });
}

const addKeygen = (parent: Command): Command =>
  parent
    .command("keygen")
    .summary("make a key that signs grants")
    .description(
      "Writes a private key for grants, for its owner alone, and prints the public half, which verifiers need.",
    )
    .requiredOption("--out <file>", "where the private key goes; a file that is there is left alone")
    .addHelpText("after", `\nExample:\n  $ signet exceptions keygen --out grant.key > grant-keys.json\n\n${EXIT}\n`);

async function keygen(io: Io, out: string): Promise<ExitCode> {
  const made = await keeperOf(io).make();
  const written = keeperOf(io).writeKey(out, made.privateKey);
  if (!written.ok) return badInput(io, written.problems);
  io.out(made.publicKeys);
  return 0;
}

type GrantingOptions = {
  readonly catalogue?: string;
  readonly namespace: string;
  readonly key: string;
  readonly workload?: string;
  readonly namespaceUid?: string;
};

const addGrant = (parent: Command): Command =>
  parent
    .command("grant")
    .summary("sign one, where no server keeps approvals")
    .description(
      "Prints a signed grant for a SegmentException of a folder: one line, bound to the namespace's UID, to the role or one workload, and to the end.",
    )
    .argument("<name>", "name of the exception")
    .requiredOption("-n, --namespace <name>", "its namespace")
    .requiredOption("--key <file>", "private key, made by keygen")
    .addOption(catalogueOption())
    .option("--namespace-uid <uid>", "UID of the namespace, where the catalogue does not hold it")
    .option("--workload <kind/name>", "the one object that is meant; left out: every workload of the role")
    .addHelpText(
      "after",
      `\nExample:\n  $ signet exceptions grant legacy-import -n payments -c policy/ --key grant.key > legacy-import.jws\n\n${EXIT}\n`,
    );

async function grant(io: Io, name: string, options: GrantingOptions): Promise<ExitCode> {
  const loaded = loadCatalogue(io, options.catalogue);
  const key = io.readInputs([options.key]);
  if (!loaded.ok) return badInput(io, loaded.problems);
  if (!key.ok) return badInput(io, key.problems);
  const payload = payloadOf(loaded.value, name, options, io.now());
  const signed = payload.ok ? await keeperOf(io).sign(key.value[0]?.text ?? "", payload.value) : payload;
  if (signed.ok) io.out(`${signed.value}\n`);
  else badInput(io, signed.problems);
  return signed.ok ? 0 : signed.problems.some(({ code }) => code === "EXCEPTION_TOO_LONG") ? 3 : 2;
}

function payloadOf(
  { catalogue, objects }: Loaded,
  name: string,
  options: GrantingOptions,
  now: Instant,
): Result<string> {
  const { namespace } = options;
  const [exception] = catalogue.exceptions.get(`${namespace}/${name}`) ?? [];
  const object = objects.find((each) => each.kind === "SegmentException" && isCalled(each, namespace, name));
  if (!exception || !object)
    return refuse("EXCEPTION_MISSING", "", `There is no exception "${name}" in namespace ${namespace}.`, ASK);
  const cap = exceptionCapSeconds(exception, catalogue) * 1000;
  if (exception.expires - Math.max(now, exception.notBefore ?? now) > cap)
    return refuse("EXCEPTION_TOO_LONG", "spec.expires", `Its class allows ${spanText(cap)}.`, "Let it end earlier.");
  const claims = claimsOf(catalogue, exception, options);
  return claims.ok ? ok(renderGrant(exception, object.raw["spec"], claims.value, now)) : claims;
}

/** What the grant is bound to. */
function claimsOf({ definitions }: Catalogue, { permit }: Exception, options: GrantingOptions): Result<GrantClaims> {
  const { namespace } = options;
  const namespaceUid = options.namespaceUid ?? definitions.namespaces.find(({ name }) => name === namespace)?.uid;
  if (namespaceUid === undefined)
    return refuse("USAGE", "--namespace-uid", `The catalogue holds no UID of namespace ${namespace}.`, FIND);
  const workload = workloadOf(options.workload);
  if (!workload.ok) return workload;
  if (workload.value && "sentence" in permit)
    return refuse("USAGE", "--workload", "A connection is permitted to a role, not to one workload.", "Leave it out.");
  return ok({ namespaceUid, ...(workload.value ? { workload: workload.value } : {}) });
}

const ASK = "`signet exceptions request NAME --print` writes one.";
const FIND = "kubectl get namespace NAME -o jsonpath={.metadata.uid}";

const isCalled = (object: KubeObject, namespace: string, name: string): boolean =>
  object.name === name && (object.namespace || "default") === namespace;

function workloadOf(text: string | undefined): Result<{ readonly kind: string; readonly name: string } | undefined> {
  if (text === undefined) return ok(undefined);
  const [, kind, name] = /^([A-Za-z]+)\/([a-z0-9.-]+)$/.exec(text) ?? [];
  if (kind !== undefined && name !== undefined) return ok({ kind, name });
  return refuse("USAGE", "--workload", `"${text}" names no workload.`, "Write Deployment/orders-db.");
}

type VerifyOptions = { readonly keys: string; readonly catalogue?: string; readonly at?: Instant };

const addVerify = (parent: Command): Command =>
  parent
    .command("verify")
    .summary("verify signed grants, offline")
    .description(
      "Verifies grants by public keys, and says what each permits and until when. With -c, whether it counts.",
    )
    .argument("<file...>", "signed grants")
    .requiredOption("--keys <file>", "public keys that count, as keygen prints them")
    .addOption(catalogueOption())
    .addOption(atOption())
    .addHelpText(
      "after",
      `\nExample:\n  $ signet exceptions verify legacy-import.jws --keys grant-keys.json\n\n${EXIT}\n`,
    );

async function verify(io: Io, files: readonly string[], options: VerifyOptions): Promise<ExitCode> {
  const grants = await readGrants(io, { grants: files, grantKeys: options.keys });
  if (!grants.ok) {
    badInput(io, grants.problems);
    return grants.problems.some(({ code }) => code === "GRANT_UNTRUSTED") ? 3 : 2;
  }
  const loaded = options.catalogue === undefined ? undefined : loadCatalogue(io, options.catalogue);
  if (loaded && !loaded.ok) return badInput(io, loaded.problems);
  const now = options.at ?? io.now();
  for (const one of grants.value.exceptions) io.out(lineOf(one, loaded?.value, now));
  return grants.value.exceptions.some((one) => standing(one, loaded?.value, now) !== "counts") ? 3 : 0;
}

function lineOf(one: Exception, loaded: Loaded | undefined, now: Instant): string {
  const { namespace, name, role, expires, grant: bound } = one;
  const whom = bound?.workload ? `${bound.workload.kind} ${bound.workload.name} of role ${role}` : `role ${role}`;
  return (
    `${namespace}/${name}: ${standing(one, loaded, now)}; permits ${permitText(one)} for ${whom}, ` +
    `namespace UID ${bound?.namespaceUid ?? ""}, until ${formatInstant(expires)}; signed by ${bound?.signer ?? ""}\n`
  );
}

/** In words: `counts`, or why not. Without a catalogue its class and its namespace are not asked. */
function standing(one: Exception, loaded: Loaded | undefined, now: Instant): string {
  if (now >= one.expires) return "ended";
  if (!loaded) return "counts";
  const catalogue = granted(loaded.catalogue, { exceptions: [one], only: false });
  if (isOfNamespace(catalogue.definitions, one) && now < (capBegins(one, catalogue) ?? now)) return "too long";
  const state = exceptionState(catalogue, one, now);
  return state === "active" ? "counts" : state;
}

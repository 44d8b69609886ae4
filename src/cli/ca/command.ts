import { type Command, Option } from "commander";
import type { Outcome } from "../action.ts";
import type { Io } from "../io.ts";
import { outputOption, withExamples } from "../options.ts";
import { type LoadCaTools, type Where, whereOptions } from "./access.ts";
import {
  type CsrFlags,
  fetchRequest,
  importChain,
  type InitFlags,
  initRoot,
  type SignFlags,
  signRequest,
} from "./offline.ts";
import { type RotateFlags, rotateBy } from "./rotate.ts";
import { showStatus } from "./status.ts";

/** Adds `signet ca status`, `rotate`, and `init`, `csr`, `sign` and `import` for a root that is kept offline. */
export const addCaCommand =
  (load: LoadCaTools) =>
  (program: Command, io: Io, outcome: Outcome): void => {
    const ca = program.command("ca").summary("watch and rotate the certificate authority").description(ABOUT);
    addStatus(ca, async (flags) => {
      outcome.code = await showStatus(io, await load(), flags);
    });
    addRotate(ca, async (flags) => {
      outcome.code = await rotateBy(io, await load(), flags);
    });
    addInit(ca, async (flags) => {
      outcome.code = await initRoot(io, await load(), flags);
    });
    addCsr(ca, async (flags) => {
      outcome.code = await fetchRequest(io, await load(), flags);
    });
    addSign(ca, async (path, flags) => {
      outcome.code = await signRequest(io, await load(), path, flags);
    });
    addImport(ca, async (path, flags) => {
      outcome.code = await importChain(io, await load(), path, flags);
    });
  };

const ABOUT =
  "An authority is prepared, published, made active, tainted, revoked and forgotten, in this order and never faster than readers can follow, so that no handshake fails.";

type Run<Flags> = (flags: Flags) => Promise<void>;

function addStatus(ca: Command, run: Run<Where & { readonly output: string }>): void {
  const command = whereOptions(ca.command("status"))
    .description("Prints every authority, where it stands since when, and what it waits for.")
    .addOption(outputOption(["text", "json"]))
    .action(run);
  withExamples(command, ["ca status", "ca status --state /var/lib/signet -o json", "ca status --cluster"]);
}

function addRotate(ca: Command, run: Run<RotateFlags>): void {
  const command = whereOptions(ca.command("rotate"))
    .description("Asks a running server for a new authority. It then goes from step to step by itself.")
    .option("--plan", "only say which steps there will be, and what each waits for")
    .option("--pause", "stop where it is")
    .option("--resume", "go on after --pause")
    .option("--withdraw", "take back an authority that does not sign yet")
    .option("--rollback", "let the authority sign again that signed before")
    .option("--compromised [id]", "the key of the active authority, or of this one, is in wrong hands: print the plan")
    .addOption(
      new Option(
        "--remove <when>",
        "with --compromised: when the old root leaves the bundle, once holders have renewed or now",
      )
        .choices(["renewed", "now"])
        .default("renewed"),
    )
    .option("--tokens", "with --compromised: it is the keys for tokens (JWT-SVIDs) that are in wrong hands")
    .option("--yes", "with --compromised: do as the plan says")
    .action(run);
  withExamples(command, [
    "ca rotate --plan",
    "ca rotate",
    "ca rotate --rollback",
    "ca rotate --compromised --remove now --yes",
    "ca rotate --tokens --compromised --yes",
  ]);
}

const PASSPHRASE = "file with the passphrase that seals the key [SIGNET_PASSPHRASE]";

function addInit(ca: Command, run: Run<InitFlags>): void {
  const command = ca
    .command("init")
    .description(
      "Makes a root that is kept offline: its certificate and its sealed key in a folder, or its key in a token.",
    )
    .requiredOption("--trust-domain <name>", "trust domain that it is the root of")
    .requiredOption("--out <dir>", "folder for root.crt and root.key; on a machine or medium that is kept apart")
    .option("--key <uri>", "a PKCS#11 URI: the key is found or made in that token (PIN: pin-source, or SIGNET_PIN)")
    .option("--passphrase-file <file>", PASSPHRASE)
    .action(run);
  withExamples(command, [
    "ca init --trust-domain prod.example.org --out root --passphrase-file passphrase",
    "ca init --trust-domain prod.example.org --out root --key 'pkcs11:token=signet;object=root?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/root/pin'",
  ]);
}

function addCsr(ca: Command, run: Run<CsrFlags>): void {
  const command = whereOptions(ca.command("csr"))
    .description(
      "Gets a request for the server's next issuing authority; its key is made and stays where the server keeps keys.",
    )
    .option("--out <file>", "file for it; left out: standard output")
    .action(run);
  withExamples(command, ["ca csr --out next.csr", "ca csr --cluster > next.csr"]);
}

function addSign(ca: Command, run: (path: string, flags: SignFlags) => Promise<void>): void {
  const command = ca
    .command("sign <request>")
    .description("Certifies the request by an offline root, as the profiles say, and prints the chain.")
    .requiredOption("--root <dir>", "folder that `signet ca init` made")
    .option("--out <file>", "file for the chain; left out: standard output")
    .option("--passphrase-file <file>", PASSPHRASE)
    .action(run);
  withExamples(command, ["ca sign next.csr --root root --passphrase-file passphrase --out chain.pem"]);
}

function addImport(ca: Command, run: (path: string, flags: Where) => Promise<void>): void {
  const command = whereOptions(ca.command("import <chain>"))
    .description(
      "Hands a signed chain to the server, which verifies it whole; the authority is prepared, and rotation goes on.",
    )
    .action(run);
  withExamples(command, ["ca import chain.pem", "ca import chain.pem --cluster"]);
}

import { formatInstant } from "../../domain/instant.ts";
import { badInput } from "../action.ts";
import type { ExitCode, Io } from "../io.ts";
import type { CaTools, RootChoice, ShownCertificate, Where } from "./access.ts";

/** What `signet ca init` was asked for. */
export type InitFlags = {
  readonly out: string;
  readonly trustDomain: string;
  readonly key?: string;
  readonly passphraseFile?: string;
};

/** Makes an offline root. */
export async function initRoot(io: Io, tools: CaTools, flags: InitFlags): Promise<ExitCode> {
  const made = await tools.makeRoot(choiceOf(flags.out, flags), flags.trustDomain, io.now());
  if (!made.ok) return badInput(io, made.problems);
  io.out(shown("Root", made.value));
  return 0;
}

const choiceOf = (folder: string, { key, passphraseFile }: Partial<InitFlags>): RootChoice => ({
  folder,
  ...(key === undefined ? {} : { key }),
  ...(passphraseFile === undefined ? {} : { passphraseFile }),
});

const shown = (what: string, { trustDomain, keyId, notAfter, sha256 }: ShownCertificate): string =>
  `${what} of ${trustDomain}: key ${keyId}, until ${formatInstant(notAfter)}\nSHA-256 ${sha256}\n`;

/** What `signet ca csr` was asked for. */
export type CsrFlags = Where & { readonly out?: string };

/** Gets the request for the server's next issuing authority. */
export async function fetchRequest(io: Io, tools: CaTools, flags: CsrFlags): Promise<ExitCode> {
  const access = await tools.open(flags);
  const done = access.ok ? await access.value.ask({ step: "csr" }) : access;
  if (!done.ok) return badInput(io, done.problems);
  return put(io, flags.out, done.value.csr ?? "");
}

function put(io: Io, path: string | undefined, text: string): ExitCode {
  if (path === undefined) {
    io.out(text);
    return 0;
  }
  const written = io.writeFile(path, text);
  return written.ok ? 0 : badInput(io, written.problems);
}

/** What `signet ca sign` was asked for. */
export type SignFlags = { readonly root: string; readonly out?: string; readonly passphraseFile?: string };

/** Certifies a request by the offline root; what was signed is told on standard error. */
export async function signRequest(io: Io, tools: CaTools, path: string, flags: SignFlags): Promise<ExitCode> {
  const read = io.readInputs([path]);
  if (!read.ok) return badInput(io, read.problems);
  const request = read.value.map(({ text }) => text).join("");
  const signed = await tools.signRequest(choiceOf(flags.root, flags), request, io.now());
  if (!signed.ok) return badInput(io, signed.problems);
  io.err(shown("Issuing authority", signed.value.shown));
  return put(io, flags.out, signed.value.chain);
}

/** Hands the chain to the server, which verifies it whole. */
export async function importChain(io: Io, tools: CaTools, path: string, where: Where): Promise<ExitCode> {
  const read = io.readInputs([path]);
  if (!read.ok) return badInput(io, read.problems);
  const access = await tools.open(where);
  const chain = read.value.map(({ text }) => text).join("");
  const done = access.ok ? await access.value.ask({ step: "import", chain }) : access;
  if (!done.ok) return badInput(io, done.problems);
  io.out("Taken: it is prepared, and goes on by itself. `signet ca status` shows what follows.\n");
  return 0;
}

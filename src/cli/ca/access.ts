import type { Command } from "commander";
import type { Result } from "../../domain/problem.ts";
import type { AuthorityWish } from "../../wire/authority-ask.ts";
import type { AuthorityStatus } from "../../wire/authority-status.ts";
import { DEFAULT_STATE } from "../ledger.ts";
import type { KubeChoice } from "../kube-access.ts";

/** Whose authorities are meant: a standalone server's, by its state folder, or a cluster's. */
export type Where = KubeChoice & { readonly state: string; readonly cluster?: true };

/** The authorities of a server that runs, as a person may look at them and ask for steps. */
export type AuthorityAccess = {
  readonly status: () => Promise<Result<AuthorityStatus>>;
  /** Resolves with what came of it; AUTHORITY_UNAVAILABLE where nobody answered. */
  readonly ask: (wish: AuthorityWish) => Promise<Result<{ readonly csr?: string }>>;
};

/** What an offline root's commands are told. */
export type RootChoice = {
  readonly folder: string;
  /** A PKCS#11 URI; left out: the key is sealed into the folder. */
  readonly key?: string;
  readonly passphraseFile?: string;
};

/** A root or an issuing authority that was made, as it is shown. */
export type ShownCertificate = {
  readonly trustDomain: string;
  readonly keyId: string;
  readonly notAfter: number;
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly sha256: string;
};

/** What the commands under `signet ca` do their work with; bin/ provides it, loaded when one of them runs. */
export type CaTools = {
  readonly open: (where: Where) => Promise<Result<AuthorityAccess>>;
  readonly makeRoot: (choice: RootChoice, trustDomain: string, now: number) => Promise<Result<ShownCertificate>>;
  readonly signRequest: (
    choice: Omit<RootChoice, "key">,
    request: string,
    now: number,
  ) => Promise<Result<{ readonly shown: ShownCertificate; readonly chain: string }>>;
};

/** Loads the tools. */
export type LoadCaTools = () => Promise<CaTools>;

/** Adds the flags that say whose authorities are meant. */
export const whereOptions = (command: Command): Command =>
  command
    .option("--state <dir>", "state folder of a standalone server", DEFAULT_STATE)
    .option("--cluster", "the cluster of the current kubeconfig, instead of a state folder")
    .option("--kubeconfig <file>", "kubeconfig of the cluster")
    .option("--context <name>", "context in the kubeconfig");

import type { Problem } from "../domain/problem.ts";
import type { ConfigFlags } from "../wire/config.ts";
import { badInput } from "./action.ts";
import type { ExitCode } from "./io.ts";
import type { AddCommand } from "./program.ts";

/** What the flags of `signet server` say. */
export type ServerFlags = ConfigFlags & { readonly config?: string };

/** The server behind its door: runs until it is ended. */
export type ServerDoor = (
  flags: ServerFlags,
  io: { readonly out: (text: string) => void; readonly problems: (problems: readonly Problem[]) => number },
) => Promise<number>;

const EXAMPLES = `
Examples:
  $ signet server
  $ signet server --listen 127.0.0.1:0 --state /var/lib/signet
  $ signet server --config signet.yaml
  $ signet server --mode cluster --kubeconfig ~/.kube/config

Exit codes: 0 ended by SIGINT or SIGTERM, 2 could not start.
`;

/** Adds `signet server`; \`open\` is called only when the command runs, so that nobody else pays for it. */
export const serverCommand =
  (open: () => Promise<ServerDoor>): AddCommand =>
  (program, io, outcome) => {
    program
      .command("server")
      .summary("run the server, standalone or in a cluster")
      .description(
        "Runs webhooks, health and metrics over TLS. Standalone: a folder is the catalogue. In a cluster: the Kubernetes API is.",
      )
      .option("--config <file>", "YAML file with the configuration; flags stand over it")
      .option("--listen <host:port>", "where to listen; port 0 takes a free one [127.0.0.1:8443]")
      .option("--state <dir>", "folder for keys and ledger [.signet]")
      .option("--catalogue <dir>", "folder of the catalogue [<state>/catalogue]")
      .option("--mode <mode>", "standalone or cluster [standalone]")
      .option("--kubeconfig <file>", "the cluster's, in cluster mode [KUBECONFIG, or the Pod's own account]")
      .option("--virt-controller <user...>", "who may create virt-launchers, in cluster mode [nobody]")
      .option(
        "--certificate-folder <dir>",
        "tls.crt, tls.key and ca.crt that somebody else keeps [Signet keeps its own]",
      )
      .option("--client-ca <file>", "who may call the webhooks, as kube-apiserver: its authority [everybody]")
      .option("--grpc-listen <host:port>", "where Istio's certificate service listens [there is none]")
      .option("--node-proxy <account...>", "NAMESPACE/NAME of who asks for the Pods of its node, as ztunnel [nobody]")
      .option(
        "--bundle-listen <host:port>",
        "where other domains fetch our bundle by https_spiffe [by the serving certificate alone]",
      )
      .option("--grants <dir>", "folder of signed grants, *.jws [none]")
      .option("--grant-keys <file>", "public keys that grants count by")
      .option("--require-signed-grants", "only a signature grants an exception, and no approval")
      .addHelpText("after", EXAMPLES)
      .action(async (flags: ServerFlags) => {
        const serve = await open();
        const code = await serve(flags, { out: io.out, problems: (problems) => badInput(io, problems) });
        outcome.code = code as ExitCode;
      });
  };

import type { Command } from "commander";
import type { Outcome } from "./action.ts";
import type { Io } from "./io.ts";
import { addConnectivity } from "./policy-connectivity.ts";

/** Adds `signet policy …`: questions about network policies, own and foreign. */
export function addPolicyCommands(program: Command, io: Io, outcome: Outcome): void {
  const policy = program.command("policy").description("who may talk to whom");
  addConnectivity(policy, io, outcome);
}

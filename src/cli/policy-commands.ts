import type { Command } from "commander";
import type { Outcome } from "./action.ts";
import type { Io } from "./io.ts";
import { addAllows } from "./policy-allows.ts";
import { addConnectivity } from "./policy-connectivity.ts";
import { addDiff } from "./policy-diff.ts";
import { addLint } from "./policy-lint.ts";
import { addMatrix } from "./policy-matrix.ts";
import { addProbe } from "./policy-probe.ts";
import { addProve } from "./policy-prove.ts";

/** Adds `signet policy …`: questions about network policies, own and foreign. */
export function addPolicyCommands(program: Command, io: Io, outcome: Outcome): void {
  const policy = program.command("policy").description("who may talk to whom");
  addConnectivity(policy, io, outcome);
  addAllows(policy, io, outcome);
  addMatrix(policy, io, outcome);
  addDiff(policy, io, outcome);
  addProbe(policy, io, outcome);
  addLint(policy, io, outcome);
  addProve(policy, io, outcome);
}

import type { Command } from "commander";
import type { Outcome } from "./action.ts";
import type { Io } from "./io.ts";
import { addAllows } from "./policy-allows.ts";
import { addCompile } from "./policy-compile.ts";
import { addEject } from "./policy-eject.ts";
import { addConnectivity } from "./policy-connectivity.ts";
import { addDiff } from "./policy-diff.ts";
import { addLint } from "./policy-lint.ts";
import { addMatrix } from "./policy-matrix.ts";
import { addProbe } from "./policy-probe.ts";
import { addSimulate } from "./policy-simulate.ts";
import { addProve } from "./policy-prove.ts";
import { withExamples } from "./options.ts";

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  connectivity: [
    "policy connectivity manifests/",
    "policy connectivity manifests/ --focus-workload shop/checkout --explain",
    "policy connectivity manifests/ --exposure --output json",
  ],
  allows: [
    "policy allows manifests/ shop/checkout payments/orders-db TCP/5432",
    "policy allows manifests/ 203.0.113.7 shop/web TCP/443 --output json",
  ],
  matrix: ["policy matrix manifests/ TCP/80", "policy matrix manifests/ TCP/5432 --output csv"],
  diff: ["policy diff before/ after/", "policy diff before/ after/ --output md"],
  probe: ["policy probe manifests/ --expectations expected.yaml"],
  lint: ["policy lint manifests/", "policy lint manifests/ --output sarif > policies.sarif"],
};

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
  addCompile(policy, io, outcome);
  addEject(policy, io, outcome);
  addSimulate(policy, io, outcome);
  for (const command of policy.commands) {
    const examples = EXAMPLES[command.name()];
    if (examples) withExamples(command, examples);
  }
}

import type { Command } from "commander";
import { withExamples } from "./options.ts";

/** Examples of commands whose own files bring none: path → lines after `signet`. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  "policy connectivity": [
    "policy connectivity manifests/",
    "policy connectivity manifests/ --focus-workload shop/checkout --explain",
    "policy connectivity manifests/ --exposure --output json",
  ],
  "policy allows": [
    "policy allows manifests/ shop/checkout payments/orders-db TCP/5432",
    "policy allows manifests/ 203.0.113.7 shop/web TCP/443 --output json",
  ],
  "policy matrix": ["policy matrix manifests/ TCP/80", "policy matrix manifests/ TCP/5432 --output csv"],
  "policy diff": ["policy diff before/ after/", "policy diff before/ after/ --output md"],
  "policy probe": ["policy probe manifests/ --expectations expected.yaml"],
  "policy lint": ["policy lint manifests/", "policy lint manifests/ --output sarif > policies.sarif"],
  "ledger verify": ["ledger verify --state /var/lib/signet"],
  "ledger show": ["ledger show --kind verdict --limit 10", "ledger show --since 2027-01-31T00:00:00Z --output json"],
  "config check": ["config check signet.yaml"],
};

/** Adds the examples of the table to the commands below that are there. */
export function addExamples(command: Command, path: readonly string[] = []): void {
  const examples = EXAMPLES[path.join(" ")];
  if (examples) withExamples(command, examples);
  for (const each of command.commands) addExamples(each, [...path, each.name()]);
}

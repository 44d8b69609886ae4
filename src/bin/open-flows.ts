import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { FlowsView } from "../cli/flows.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import { FlowStore } from "../store/flow-store.ts";

/** Opens the flows of a state folder: to add to them, and then the folder is made where it is missing, or to read them. */
export function openFlowsOf(state: string, { readOnly }: { readonly readOnly: boolean }): Result<FlowsView> {
  const path = join(state, "flows.db");
  try {
    if (!readOnly) mkdirSync(state, { recursive: true, mode: 0o700 });
    const store = new FlowStore(path, { readOnly });
    return ok({ add: added(store, path), edges: (since) => store.edges(since), close: () => store.close() });
  } catch (fault) {
    return refuse(
      "FILE_UNREADABLE",
      "--state",
      `There are no flows at ${path} (${reasonOf(fault)}).`,
      readOnly
        ? "Import some with `signet flows import FILE`, or name the folder with --state DIR."
        : "Check the folder.",
    );
  }
}

/** A full disk, or somebody who imports for longer than is waited. */
const added =
  (store: FlowStore, path: string): FlowsView["add"] =>
  (batch, now) => {
    try {
      return ok(store.add(batch, now));
    } catch (fault) {
      const told = `Nothing of it was added to ${path} (${reasonOf(fault)}).`;
      return refuse("FILE_UNREADABLE", "--state", told, "Make room there, or try again when nobody else imports.");
    }
  };

const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message : String(fault));

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
    return ok(new FlowStore(path, { readOnly }));
  } catch (fault) {
    const reason = fault instanceof Error ? fault.message : String(fault);
    return refuse(
      "FILE_UNREADABLE",
      "--state",
      `There are no flows at ${path} (${reason}).`,
      readOnly
        ? "Import some with `signet flows import FILE`, or name the folder with --state DIR."
        : "Check the folder.",
    );
  }
}

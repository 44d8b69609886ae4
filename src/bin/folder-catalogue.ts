import { problemLine } from "../domain/problem.ts";
import type { FolderState } from "../folder/watch.ts";
import type { Check, Log } from "../http/services.ts";
import type { Ledger } from "../store/ledger.ts";

/** Each new state is said; each new revision is stored before a verdict is given by it. */
export function catalogueChanged({ snapshot, problems, readAt }: FolderState, ledger: Ledger, log: Log): void {
  const revision = snapshot?.catalogue.revision;
  if (snapshot) ledger.remember({ digest: snapshot.catalogue.revision, text: snapshot.text }, readAt);
  if (problems.length > 0) {
    const first = problems.slice(0, 5).map(problemLine);
    log.warn(
      { problems: problems.length, first, inForce: revision?.slice(0, 12) ?? "none" },
      "The catalogue cannot be read; the last good state stays in force.",
    );
  } else if (snapshot) {
    log.info(
      {
        revision: revision?.slice(0, 12),
        roles: snapshot.catalogue.roles.size,
        segments: snapshot.catalogue.segments.size,
      },
      "The catalogue was read.",
    );
  }
}

/** Readiness hangs on the first state that could be read; what cannot be read since is a warning. */
export function catalogueCheck({ snapshot, problems }: FolderState): Check {
  const [first] = problems;
  const wrong = first ? `${problems.length} problems, first: ${problemLine(first)}` : "";
  const revision = snapshot?.catalogue.revision.slice(0, 12) ?? "none";
  const detail = first ? `warning: ${wrong}; in force: revision ${revision}` : `revision ${revision}`;
  return { name: "catalogue", ok: snapshot !== undefined, detail };
}

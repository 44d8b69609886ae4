import type { Labels } from "../domain/label-selector.ts";
import { ok, refuse, type Result } from "../domain/problem.ts";
import type { Launching, Workload } from "../domain/workload.ts";
import type { ReviewRequest } from "./admission-review.ts";
import { isRaw, type Raw } from "./read-object.ts";
import { isJudgedAnnotation } from "./relevant-change.ts";

/** What a verdict came to. */
export type VerdictSummary = {
  readonly allowed: boolean;
  readonly decision: string;
  readonly role?: string | undefined;
  readonly segment?: string | undefined;
  readonly spiffeId?: string | undefined;
  readonly approval: string;
  readonly enrolled: boolean;
  readonly codes: readonly string[];
};

/** A verdict as the ledger keeps it: everything that it was a function of, and what it was. */
export type VerdictRecord = {
  readonly webhook: "mutate" | "validate";
  /** Digest of the catalogue's text. */
  readonly catalogue: string;
  readonly requireApproval: boolean;
  readonly request: ReviewRequest;
  readonly verdict: VerdictSummary;
};

/**
 * The record as JSON. Of annotations only those that a verdict hangs on are kept: others may hold whole manifests, with
 * secrets in them. What an object's own metadata repeats, what is as it mostly is, and groups, which no verdict hangs on, are
 * left out.
 */
export const renderVerdictRecord = ({ webhook, catalogue, requireApproval, request, verdict }: VerdictRecord): string =>
  JSON.stringify({
    webhook,
    catalogue,
    requireApproval,
    request: {
      uid: request.uid,
      operation: request.operation,
      subResource: request.subResource || undefined,
      user: request.user.username,
      presence: request.presence,
      deleting: request.deleting || undefined,
      workload: request.workload && kept(request.workload),
      oldWorkload: request.oldWorkload && kept(request.oldWorkload),
      superseded: request.superseded,
      launching: request.launching && keptLaunching(request.launching),
    },
    verdict,
  });

/** A workload as it is kept: without its place in a text, and its own metadata only where these are others. */
type Kept = Omit<Workload, "source" | Left> & { readonly [K in Left]?: Workload[K] | undefined };
type Left = "ownLabels" | "ownAnnotations" | "owner" | "serves" | "creator" | "escapes" | "metadataPath";

const kept = (workload: Workload): Kept => ({
  kind: workload.kind,
  form: workload.form,
  object: workload.object,
  namespace: workload.namespace,
  serviceAccount: workload.serviceAccount,
  labels: workload.labels,
  annotations: judged(workload.annotations),
  ownLabels: workload.ownLabels === workload.labels ? undefined : workload.ownLabels,
  ownAnnotations: workload.ownAnnotations === workload.annotations ? undefined : judged(workload.ownAnnotations),
  owner: workload.owner,
  serves: workload.serves,
  creator: workload.creator,
  escapes: workload.escapes.length === 0 ? undefined : workload.escapes,
  metadataPath: workload.metadataPath === METADATA ? undefined : workload.metadataPath,
});

const METADATA = "metadata";

type KeptLaunching<K = Kept> = Omit<Launching, "machine"> & { readonly machine: K | "none" | "unknown" };

const keptLaunching = ({ machine, ...rest }: Launching): KeptLaunching => ({
  ...rest,
  machine: typeof machine === "string" ? machine : kept(machine),
});

const wholeLaunching = ({ machine, ...rest }: KeptLaunching<Read>): Launching => ({
  ...rest,
  machine: typeof machine === "string" ? machine : whole(machine),
});

function judged(annotations: Labels): Labels {
  const found: Record<string, string> = {};
  for (const key in annotations) if (isJudgedAnnotation(key)) found[key] = annotations[key] ?? "";
  return found;
}

/** What is read back: the same request, dry runs and irrelevant changes never having been recorded. */
function restore(raw: Raw): ReviewRequest {
  const { user, workload, oldWorkload, launching, ...rest } = raw as unknown as Stored;
  return {
    subResource: "",
    deleting: false,
    ...rest,
    dryRun: false,
    relevantChange: true,
    user: { username: user, groups: [] },
    ...(workload ? { workload: whole(workload) } : {}),
    ...(oldWorkload ? { oldWorkload: whole(oldWorkload) } : {}),
    ...(launching ? { launching: wholeLaunching(launching) } : {}),
  };
}

type Stored = Omit<ReviewRequest, "user" | "workload" | "oldWorkload" | "launching" | "subResource" | "deleting"> & {
  readonly subResource?: string;
  readonly deleting?: boolean;
  readonly user: string;
  readonly workload?: Read;
  readonly oldWorkload?: Read;
  readonly launching?: KeptLaunching<Read>;
};

/** What JSON gives back: what is left out is not there at all. */
type Read = Omit<Workload, "source" | Left> & Partial<Pick<Workload, Left>>;

const whole = (stored: Read): Workload => ({
  escapes: [],
  metadataPath: METADATA,
  ...stored,
  ownLabels: stored.ownLabels ?? stored.labels,
  ownAnnotations: stored.ownAnnotations ?? stored.annotations,
});

/** Reads a record of this Signet's ledger; refuses one that is no verdict. The chain vouches for what is inside. */
export function readVerdictRecord(text: string): Result<VerdictRecord> {
  try {
    const raw: unknown = JSON.parse(text);
    if (isRaw(raw) && isRaw(raw["request"]) && isRaw(raw["verdict"]) && typeof raw["catalogue"] === "string")
      return ok({ ...(raw as unknown as VerdictRecord), request: restore(raw["request"]) });
  } catch {
    // Falls through: what is no JSON is no verdict either.
  }
  return refuse("LEDGER_BROKEN", "", "The record is no verdict.", "Run `signet ledger verify`.");
}

import type { Problem } from "../../domain/problem.ts";
import type { Workload } from "../../domain/workload.ts";
import type { Identity } from "../../identity/fit-role.ts";
import type { MetadataPresence } from "../../identity/patch.ts";
import type { Deviation } from "../../identity/stamp.ts";
import type { ObjectKey } from "../../wire/definitions/approvable.ts";

/** What admission would say of a running Pod now; its verdict has this form. */
export type Judgement = {
  readonly identity?: Identity;
  /** Reserved keys in which the Pod differs from the stamp that follows from its identity. */
  readonly deviations: readonly Deviation[];
  readonly enrolled: boolean;
  readonly findings: readonly { readonly problem: Problem; readonly refuses: boolean }[];
};

/** A Pod of the snapshot, as it is and as it would be judged. */
export type PodSeen = {
  readonly object: ObjectKey;
  readonly workload: Workload;
  readonly presence: MetadataPresence;
  /** `status.phase`. */
  readonly phase: string;
  readonly deleting: boolean;
  readonly judgement: Judgement;
};

/** Whether a Pod runs or will: one that has ended, or is going, is nobody's concern any more. */
export const isLive = ({ phase, deleting }: PodSeen): boolean =>
  !deleting && phase !== "Succeeded" && phase !== "Failed";

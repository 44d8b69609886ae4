import { ok, type Result } from "../../domain/problem.ts";
import type { Policy } from "../model/policy.ts";
import type { Doors } from "./doors.ts";
import { NETWORK_POLICY, networkPolicies } from "./network-policy.ts";
import {
  ADMIN_NETWORK_POLICY,
  adminNetworkPolicies,
  BASELINE_NETWORK_POLICY,
  baselineNetworkPolicy,
  CLUSTER_NETWORK_POLICY,
  clusterNetworkPolicies,
} from "./tiered.ts";
import { kubernetesPlane, type Plane, policiesOf } from "./plane.ts";
import type { Rendered } from "./rendered.ts";

/** How one target is compiled for, and which data plane takes its objects. */
type TargetRow = { readonly plane: PlaneName; readonly compile: (doors: Doors) => readonly Rendered[] };

/** Data planes: targets of one plane act together, and beside the foreign policies that it takes. */
type PlaneName = "kubernetes";

/** Every target, by name. */
export const TARGETS = {
  [NETWORK_POLICY]: { plane: "kubernetes", compile: networkPolicies },
  [CLUSTER_NETWORK_POLICY]: { plane: "kubernetes", compile: clusterNetworkPolicies },
  [ADMIN_NETWORK_POLICY]: { plane: "kubernetes", compile: adminNetworkPolicies },
  [BASELINE_NETWORK_POLICY]: { plane: "kubernetes", compile: baselineNetworkPolicy },
} as const satisfies Readonly<Record<string, TargetRow>>;

/** The name of a target. */
export type TargetName = keyof typeof TARGETS;

/** The names of all targets. */
export const TARGET_NAMES = Object.keys(TARGETS) as readonly TargetName[];

/** What was compiled for each target. */
export type Compiled = ReadonlyMap<TargetName, readonly Rendered[]>;

/** Compiled objects in models of their data planes: as they act beside foreign policies, and alone. */
export type Loaded = {
  readonly planes: readonly Plane[];
  readonly own: readonly Plane[];
  /** All policies, ours and those that are not. */
  readonly policies: readonly Policy[];
};

/** Loads what was compiled by reading it again. Refuses what the reader of foreign policies refuses. */
export function load(compiled: Compiled, foreign: readonly Policy[]): Result<Loaded> {
  const read = policiesOf([...compiled.values()].flat());
  if (!read.ok) return read;
  const policies = [...foreign, ...read.value];
  return ok({ planes: [kubernetesPlane(policies)], own: [kubernetesPlane(read.value)], policies });
}

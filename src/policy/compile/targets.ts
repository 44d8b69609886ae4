import { ok, type Result } from "../../domain/problem.ts";
import type { Policy } from "../model/policy.ts";
import { CILIUM, ciliumPolicies } from "./cilium.ts";
import { ciliumPlane, ciliumRules } from "./cilium-plane.ts";
import type { Doors } from "./doors.ts";
import { WAYPOINT, waypointPolicies, ZTUNNEL, ztunnelPolicies } from "./istio.ts";
import { istioPlane } from "./istio-plane.ts";
import { MULTI_NETWORK_POLICY, multiNetworkPolicies } from "./multi-network-policy.ts";
import { NETWORK_POLICY, networkPolicies } from "./network-policy.ts";
import { NFTABLES, nftRules } from "./nftables.ts";
import { kubernetesPlane, type Plane, policiesOf } from "./plane.ts";
import { POSTGRES, postgresGrants } from "./postgres.ts";
import type { Rendered } from "./rendered.ts";
import { SECURITY_GROUPS, securityGroups } from "./security-groups.ts";
import {
  ADMIN_NETWORK_POLICY,
  adminNetworkPolicies,
  BASELINE_NETWORK_POLICY,
  baselineNetworkPolicy,
  CLUSTER_NETWORK_POLICY,
  clusterNetworkPolicies,
} from "./tiered.ts";

/** How one target is compiled for, and which data plane takes its objects. */
type TargetRow = { readonly plane: PlaneName; readonly compile: (doors: Doors) => readonly Rendered[] };

/**
 * Data planes: targets of one plane act together. `none`: what is compiled acts elsewhere (another network, a database, a
 * cloud, a machine) and closes nothing between the Pods that are judged.
 */
export type PlaneName = "kubernetes" | "cilium" | "istio" | "none";

/** Every target, by name. */
export const TARGETS = {
  [NETWORK_POLICY]: { plane: "kubernetes", compile: networkPolicies },
  [CLUSTER_NETWORK_POLICY]: { plane: "kubernetes", compile: clusterNetworkPolicies },
  [ADMIN_NETWORK_POLICY]: { plane: "kubernetes", compile: adminNetworkPolicies },
  [BASELINE_NETWORK_POLICY]: { plane: "kubernetes", compile: baselineNetworkPolicy },
  [CILIUM]: { plane: "cilium", compile: ciliumPolicies },
  [ZTUNNEL]: { plane: "istio", compile: ztunnelPolicies },
  [WAYPOINT]: { plane: "istio", compile: waypointPolicies },
  [MULTI_NETWORK_POLICY]: { plane: "none", compile: multiNetworkPolicies },
  [NFTABLES]: { plane: "none", compile: nftRules },
  [SECURITY_GROUPS]: { plane: "none", compile: securityGroups },
  [POSTGRES]: { plane: "none", compile: postgresGrants },
} as const satisfies Readonly<Record<string, TargetRow>>;

/** The name of a target. */
export type TargetName = keyof typeof TARGETS;

/** The names of all targets. */
export const TARGET_NAMES = Object.keys(TARGETS) as readonly TargetName[];

/** What was compiled for each target. */
export type Compiled = ReadonlyMap<TargetName, readonly Rendered[]>;

/** A data plane with what was compiled for it, as it acts beside foreign policies and alone. */
export type LoadedPlane = { readonly name: string; readonly plane: Plane; readonly own: Plane };

/** Compiled objects in models of their data planes. */
export type Loaded = {
  readonly planes: readonly LoadedPlane[];
  /** All policies that name addresses, ours and those that are not: where they cut the outside. */
  readonly policies: readonly Policy[];
};

/**
 * Loads what was compiled by reading it again. Cilium enforces the policies of Kubernetes too, and what either of them allows
 * adds up: they are one plane. Refuses what the reader of foreign policies refuses.
 */
export function load(compiled: Compiled, foreign: readonly Policy[]): Result<Loaded> {
  const names = (plane: PlaneName) => [...compiled.keys()].filter((name) => TARGETS[name].plane === plane);
  const of = (plane: PlaneName): readonly Rendered[] => names(plane).flatMap((name) => compiled.get(name) ?? []);
  const read = policiesOf(of("kubernetes"));
  if (!read.ok) return read;
  const own = [...read.value, ...ciliumRules(of("cilium"))];
  const policies = [...foreign, ...own];
  const istio = istioPlane(of("istio"));
  const onPods = [...names("kubernetes"), ...names("cilium")];
  const planeOf = names("cilium").length > 0 ? ciliumPlane : kubernetesPlane;
  const onPodsAll = planeOf(policies);
  const all: readonly LoadedPlane[] = [
    ...(policies.length + onPods.length > 0
      ? [
          {
            name: onPods.join("+") || "foreign",
            plane: onPodsAll,
            own: foreign.length === 0 ? onPodsAll : planeOf(own),
          },
        ]
      : []),
    ...(names("istio").length > 0 ? [{ name: names("istio").join("+"), plane: istio, own: istio }] : []),
  ];
  return ok({ planes: all, policies });
}

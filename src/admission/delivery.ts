import type { Catalogue } from "../domain/catalogue.ts";
import type { PatchOperation } from "../domain/json-patch.ts";
import type { Problem, Result } from "../domain/problem.ts";
import type { Workload } from "../domain/workload.ts";
import { deriveIdentity, type Identity } from "../identity/fit-role.ts";
import type { PodShape } from "../wire/workloads/pod-shape.ts";
import { type Delivery, deliver, isDelivered } from "./volumes.ts";

/** Shortest and longest lifetime that a podCertificate volume may ask for, in seconds (core/v1 PodCertificateProjection). */
const SHORTEST_SECONDS = 3600;
const LONGEST_SECONDS = 91 * 24 * 3600;
const DEFAULT_SECONDS = 4 * 3600;

/** What kubelet is asked for on behalf of an identity; undefined where its role gets no certificate this way. */
export function deliveryOf(catalogue: Catalogue, { role, segment }: Identity): Delivery | undefined {
  if (role.delivery !== "podCertificate") return undefined;
  const local = catalogue.definitions.trustDomain;
  const limits = [role.maxTtlSeconds, segment.leafMaxTtlSeconds, local?.leafMaxTtlSeconds ?? DEFAULT_SECONDS];
  const seconds = Math.min(...limits.filter((limit) => limit !== undefined));
  return {
    keyType: role.keyType ?? local?.leafKeyType ?? "ECDSAP256",
    maxExpirationSeconds: Math.min(Math.max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS),
    trustDomain: catalogue.trustDomain,
    federatesWith: role.federatesWith,
  };
}

/** A Pod as it is judged where certificates are delivered. */
export type Prepared = {
  /** Without the escape that its own, delivered volume would be. */
  readonly workload: Workload;
  /** What adds the volumes. */
  readonly patch: readonly PatchOperation[];
  /** Why they cannot be added. */
  readonly problems: readonly Problem[];
};

/** Prepares a Pod at its creation: which volumes it gets, and whether those it has are the delivered ones. */
export function prepare(catalogue: Catalogue, workload: Workload, readPod: () => Result<PodShape>): Prepared {
  const identity = isCertified(workload) ? deriveIdentity(catalogue, workload) : undefined;
  const delivery = identity?.ok ? deliveryOf(catalogue, identity.value) : undefined;
  if (!delivery) return { workload, patch: [], problems: [] };
  const shape = readPod();
  if (!shape.ok) return { workload, patch: [], problems: shape.problems };
  const patch = deliver(shape.value, delivery);
  return {
    workload: withoutEscapes(workload, deliveredPaths(shape.value, delivery)),
    patch: patch.ok ? patch.value : [],
    problems: patch.ok ? [] : patch.problems,
  };
}

/** Pods are, templates are not; a launcher's certificate belongs into its guest, never before the launcher's start. */
const isCertified = ({ kind, form, owner }: Workload): boolean =>
  kind === "Pod" && form === "pod" && owner?.kind !== "VirtualMachineInstance";

const deliveredPaths = ({ volumes }: PodShape, delivery: Delivery): readonly string[] =>
  (volumes ?? []).flatMap((volume, index) => (isDelivered(volume, delivery) ? [`spec.volumes[${index}].`] : []));

const withoutEscapes = (workload: Workload, paths: readonly string[]): Workload =>
  paths.length === 0
    ? workload
    : {
        ...workload,
        escapes: workload.escapes.filter(
          ({ check, path }) => check !== "signerVolume" || !paths.some((start) => path.startsWith(start)),
        ),
      };

/** A running Pod keeps the certificate volume that it was admitted with: volumes never change, roles and switches may. */
export function withoutKeptVolumes(workload: Workload, old: Workload | undefined): Workload {
  const kept = (old?.escapes ?? []).filter(({ check }) => check === "signerVolume").map(({ path }) => path);
  if (kept.length === 0 || workload.kind !== "Pod" || workload.form !== "pod") return workload;
  return {
    ...workload,
    escapes: workload.escapes.filter(({ check, path }) => check !== "signerVolume" || !kept.includes(path)),
  };
}

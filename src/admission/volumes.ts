import type { KeyType } from "../domain/definitions.ts";
import { type Json, type PatchOperation, pointer } from "../domain/json-patch.ts";
import { ok, type Problem, problem, refuseAll, type Result } from "../domain/problem.ts";
import { federatedSigner } from "../domain/signers.ts";
import { SIGNER_NAME } from "../wire/workloads/escapes.ts";
import type { ContainerShape, PodShape, VolumeShape } from "../wire/workloads/pod-shape.ts";

/** The certificate that a Pod's workload gets from kubelet, and the bundles beside it. */
export type Delivery = {
  readonly keyType: KeyType;
  readonly maxExpirationSeconds: number;
  readonly trustDomain: string;
  /** Names of the TrustDomains whose bundles it gets, each in a file of its own. */
  readonly federatesWith: readonly string[];
};

/** Name of the volume with private key and certificates. */
export const SVID_VOLUME = "signet-svid";
/** Name of the volume with bundles; one of its own, because a certificate that is refused freezes its whole volume. */
export const TRUST_VOLUME = "signet-trust";
const ROOT = "/var/run/secrets/signet.dev";
const MOUNTS = [
  { name: SVID_VOLUME, mountPath: `${ROOT}/svid`, readOnly: true },
  { name: TRUST_VOLUME, mountPath: `${ROOT}/trust`, readOnly: true },
] as const;
const SVID_FILE = "svid.pem";
const TRUST_FILE = "bundle.pem";

/** The variable by which a container keeps the volumes out: `SIGNET_INJECT: "false"`. */
const OPT_OUT = "SIGNET_INJECT";

/**
 * The operations that add the two volumes, their mounts and the variables that name their files. Applied twice they do
 * nothing. Windows and static Pods get none, nor a Pod whose containers all opt out. A volume or mount of the manifest's
 * own in their place is refused with VOLUME_COLLISION: nothing is overwritten.
 */
export function deliver(shape: PodShape, delivery: Delivery): Result<readonly PatchOperation[]> {
  const takers = shape.containers.filter((container) => !optsOut(container));
  if (shape.windows || shape.mirror || takers.length === 0) return ok([]);
  const collisions = [...volumeCollisions(shape, delivery), ...takers.flatMap(mountCollisions)];
  if (collisions.length > 0) return refuseAll(collisions);
  return ok([...volumePatch(shape, delivery), ...takers.flatMap((taker) => containerPatch(taker, delivery))]);
}

/**
 * Whether a volume is the one that delivery adds. Its mode may be any of ours: another webhook may have set users or groups
 * since. Its lifetime may be shorter than allowed, never longer.
 */
export function isDelivered({ name, raw }: VolumeShape, delivery: Delivery): boolean {
  const mode = modeOf(raw);
  if (mode === undefined || !MODES.includes(mode)) return false;
  const wanted = volumes(delivery, mode).find((volume) => volume.name === name);
  if (!wanted) return false;
  const seconds = expirationOf(raw) ?? delivery.maxExpirationSeconds;
  const shorter = { ...delivery, maxExpirationSeconds: Math.min(seconds, delivery.maxExpirationSeconds) };
  return same(raw, volumes(shorter, mode).find((volume) => volume.name === name) ?? null);
}

const optsOut = ({ env }: ContainerShape): boolean =>
  env?.some(({ name, value }) => name === OPT_OUT && value === "false") ?? false;

/** Readable by all: where nothing in the Pod's spec tells its user, it may be any. */
const ANY_USER = 0o444;
const GROUP = 0o440;
const OWNER = 0o400;
const MODES: readonly number[] = [ANY_USER, GROUP, OWNER];

/**
 * The narrowest mode by which the Pod's containers can read the key. Kubelet gives the files to the Pod's user where all
 * containers have the same one, and to fsGroup; with neither they are root's, and the image's user is not known here.
 */
export function keyMode({ fsGroup, containers }: PodShape): number {
  if (fsGroup !== undefined) return GROUP;
  const users = new Set(containers.map(({ runAsUser }) => runAsUser));
  return users.size === 1 && !users.has(undefined) ? OWNER : ANY_USER;
}

type Volume = { readonly name: string; readonly projected: Json };

function volumes(delivery: Delivery, mode: number): readonly Volume[] {
  const { keyType, maxExpirationSeconds, federatesWith } = delivery;
  const podCertificate = { signerName: SIGNER_NAME, keyType, maxExpirationSeconds, credentialBundlePath: SVID_FILE };
  // An unset selector is documented to match nothing, and does not always: an empty one matches all of the signer's.
  const bundle = (signerName: string, path: string, more: object = {}): Json => ({
    clusterTrustBundle: { signerName, labelSelector: {}, path, ...more },
  });
  const federated = federatesWith.map((name) =>
    bundle(federatedSigner(name), `federated/${name}.pem`, { optional: true }),
  );
  return [
    { name: SVID_VOLUME, projected: { defaultMode: mode, sources: [{ podCertificate }] } },
    {
      name: TRUST_VOLUME,
      projected: { defaultMode: ANY_USER, sources: [bundle(SIGNER_NAME, TRUST_FILE), ...federated] },
    },
  ];
}

function volumePatch(shape: PodShape, delivery: Delivery): readonly PatchOperation[] {
  const present = shape.volumes ?? [];
  const missing = volumes(delivery, keyMode(shape)).filter(({ name }) => !present.some((one) => one.name === name));
  return additions(pointer("spec", "volumes"), shape.volumes !== null, missing);
}

function containerPatch({ list, index, mounts, env }: ContainerShape, delivery: Delivery): readonly PatchOperation[] {
  const missingMounts = MOUNTS.filter(({ name }) => !mounts?.some((mount) => mount.name === name));
  const missingEnv = variables(delivery).filter(({ name }) => !env?.some((one) => one.name === name));
  return [
    ...additions(pointer("spec", list, index, "volumeMounts"), mounts !== null, missingMounts),
    ...additions(pointer("spec", list, index, "env"), env !== null, missingEnv),
  ];
}

const variables = ({ trustDomain }: Delivery): readonly { readonly name: string; readonly value: string }[] => [
  { name: "SIGNET_SVID_BUNDLE", value: `${MOUNTS[0].mountPath}/${SVID_FILE}` },
  { name: "SIGNET_TRUST_BUNDLE", value: `${MOUNTS[1].mountPath}/${TRUST_FILE}` },
  { name: "SPIFFE_TRUST_DOMAIN", value: trustDomain },
];

/** Items at the end of a list; where the list is absent it comes whole. */
function additions(path: string, present: boolean, items: readonly Json[]): readonly PatchOperation[] {
  if (items.length === 0) return [];
  if (!present) return [{ op: "add", path, value: items }];
  return items.map((value) => ({ op: "add", path: `${path}/-`, value }));
}

function volumeCollisions({ volumes: present }: PodShape, delivery: Delivery): readonly Problem[] {
  return (present ?? []).flatMap((volume, index) => {
    const reserved = volume.name === SVID_VOLUME || volume.name === TRUST_VOLUME;
    return reserved && !isDelivered(volume, delivery)
      ? [collision(`spec.volumes[${index}].name`, `The volume name ${volume.name} is taken by the manifest.`)]
      : [];
  });
}

function mountCollisions({ list, index, mounts, name: container }: ContainerShape): readonly Problem[] {
  return (mounts ?? []).flatMap(({ name, mountPath }, at) => {
    const path = `spec.${list}[${index}].volumeMounts[${at}]`;
    const ours = MOUNTS.find((mount) => mount.name === name);
    if (ours) {
      return ours.mountPath === mountPath
        ? []
        : [collision(`${path}.name`, `Container ${container} mounts ${name} at a place of its own.`)];
    }
    return MOUNTS.some((mount) => isWithin(mountPath, mount.mountPath))
      ? [collision(`${path}.mountPath`, `Container ${container} mounts ${name} where its certificate belongs.`)]
      : [];
  });
}

const collision = (path: string, message: string): Problem =>
  problem(
    "VOLUME_COLLISION",
    path,
    message,
    `Rename it or mount it elsewhere; or keep certificates out of the container with ${OPT_OUT}="false".`,
  );

function isWithin(path: string, root: string): boolean {
  const clean = `/${path
    .split("/")
    .filter((step) => step !== "" && step !== ".")
    .join("/")}`;
  return clean === root || clean.startsWith(`${root}/`);
}

type Fields = { readonly [key: string]: Json };
const isFields = (value: Json | undefined): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const at = (value: Json | undefined, key: string): Json | undefined =>
  isFields(value) && Object.hasOwn(value, key) ? value[key] : undefined;

function modeOf(raw: Json): number | undefined {
  const mode = at(at(raw, "projected"), "defaultMode");
  return typeof mode === "number" ? mode : undefined;
}

function expirationOf(raw: Json): number | undefined {
  const sources = at(at(raw, "projected"), "sources");
  const [source] = Array.isArray(sources) ? sources : [];
  const seconds = at(at(source, "podCertificate"), "maxExpirationSeconds");
  return typeof seconds === "number" ? seconds : undefined;
}

/** Equal in every field, whatever the order in which the fields stand. */
function same(a: Json, b: Json): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, i) => same(each, b[i] ?? null));
  if (!isFields(a) || !isFields(b)) return a === b;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(a[key] ?? null, b[key] ?? null))
  );
}

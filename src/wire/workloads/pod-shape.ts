import type { Json } from "../../domain/json-patch.ts";
import { ok, refuseAll, type Result } from "../../domain/problem.ts";
import type { FieldPath } from "../documents.ts";
import type { KubeObject } from "../objects.ts";
import type { Raw } from "../read-object.ts";
import { FieldReader } from "./field-reader.ts";

/** One mount of a container: which volume, and where. */
export type MountShape = { readonly name: string; readonly mountPath: string };

/** A container or init container, as far as delivery of certificates looks at it. */
export type ContainerShape = {
  readonly list: "containers" | "initContainers";
  readonly index: number;
  readonly name: string;
  /** Variables with their literal values; undefined where the value comes from elsewhere. Null: the list is absent. */
  readonly env: readonly { readonly name: string; readonly value: string | undefined }[] | null;
  readonly mounts: readonly MountShape[] | null;
  readonly runAsUser: number | undefined;
};

/** A volume by name, and whole. */
export type VolumeShape = { readonly name: string; readonly raw: Json };

/** The parts of a Pod that delivery of certificates reads and adds to. Null: the list is absent. */
export type PodShape = {
  readonly windows: boolean;
  /** A static Pod's picture on the API server; kubelet gives it no certificates. */
  readonly mirror: boolean;
  readonly fsGroup: number | undefined;
  readonly containers: readonly ContainerShape[];
  readonly volumes: readonly VolumeShape[] | null;
};

const OS_LABEL = "kubernetes.io/os";
/** The annotation by which kubelet marks the mirror of a static Pod. */
export const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";

/** Reads the shape of a Pod. A field that is asked for and has the wrong type refuses the Pod. */
export function readPodShape(object: KubeObject): Result<PodShape> {
  const reader = new FieldReader(object);
  const metadata = reader.object(object.raw, "metadata", []);
  const spec = reader.object(object.raw, "spec", []);
  const path = ["spec"];
  const security = reader.object(spec, "securityContext", path);
  const shape: PodShape = {
    windows: isWindows(reader, spec, path),
    mirror: Object.hasOwn(reader.labels(metadata, "annotations", ["metadata"]), MIRROR_ANNOTATION),
    fsGroup: reader.number(security, "fsGroup", [...path, "securityContext"]),
    containers: (["initContainers", "containers"] as const).flatMap((list) =>
      reader
        .objects(spec, list, path)
        .map(({ raw, path: at }, index) => containerShape(reader, raw, at, { list, index, security })),
    ),
    volumes: isList(spec, "volumes")
      ? reader.objects(spec, "volumes", path).map(({ raw, path: at }) => ({
          name: reader.text(raw, "name", at) ?? "",
          raw: raw as Json,
        }))
      : null,
  };
  return reader.problems.length > 0 ? refuseAll(reader.problems) : ok(shape);
}

function isWindows(reader: FieldReader, spec: Raw, path: FieldPath): boolean {
  const os = reader.text(reader.object(spec, "os", path), "name", [...path, "os"]);
  const selector = reader.labels(spec, "nodeSelector", path);
  return (os ?? (Object.hasOwn(selector, OS_LABEL) ? selector[OS_LABEL] : undefined)) === "windows";
}

type Spot = { readonly list: ContainerShape["list"]; readonly index: number; readonly security: Raw };

function containerShape(
  reader: FieldReader,
  raw: Raw,
  path: FieldPath,
  { list, index, security }: Spot,
): ContainerShape {
  const own = reader.object(raw, "securityContext", path);
  return {
    list,
    index,
    name: reader.text(raw, "name", path) ?? "",
    env: isList(raw, "env")
      ? reader.objects(raw, "env", path).map((one) => ({
          name: reader.text(one.raw, "name", one.path) ?? "",
          value: reader.text(one.raw, "value", one.path),
        }))
      : null,
    mounts: isList(raw, "volumeMounts")
      ? reader.objects(raw, "volumeMounts", path).map((one) => ({
          name: reader.text(one.raw, "name", one.path) ?? "",
          mountPath: reader.text(one.raw, "mountPath", one.path) ?? "",
        }))
      : null,
    runAsUser:
      reader.number(own, "runAsUser", [...path, "securityContext"]) ??
      reader.number(security, "runAsUser", ["spec", "securityContext"]),
  };
}

/** What is there and is no list is found out by whoever reads it as one. */
const isList = (raw: Raw, key: string): boolean => raw[key] !== undefined && raw[key] !== null;

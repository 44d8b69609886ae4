import type { Escape } from "../../domain/workload.ts";
import type { FieldPath } from "../documents.ts";
import { isRaw, type Raw } from "../read-object.ts";
import { cleanPath, escape } from "./escapes.ts";
import type { FieldReader } from "./field-reader.ts";

/** Every way out of its own boundary that a KubeVirt VMI's spec asks for. */
export const vmiEscapes = (reader: FieldReader, spec: Raw, path: FieldPath): Escape[] => [
  ...uncovered(reader, spec, path),
  ...hostDisks(reader, spec, path),
];

/**
 * Bindings of the Pod network that leave the guest behind the launcher's own interface, where every target looks. What is
 * not here (sriov, macvtap, plugins that nobody knows) may bring an interface that no target sees.
 */
const COVERED_BINDINGS: ReadonlySet<string> = new Set(["masquerade", "bridge", "passt", "passtBinding", "slirp"]);
const COVERED_PLUGINS: ReadonlySet<string> = new Set(["passt", "l2bridge", "managedtap", "slirp"]);

/** Networks that are not the Pod's, and interfaces whose binding goes round it. One that was unplugged counts no more. */
function uncovered(reader: FieldReader, spec: Raw, path: FieldPath): readonly Escape[] {
  const domain = reader.object(spec, "domain", path);
  const devicesPath = [...path, "domain", "devices"];
  const devices = reader.object(domain, "devices", [...path, "domain"]);
  const interfaces = reader.objects(devices, "interfaces", devicesPath);
  const nameOf = (each: { readonly raw: Raw; readonly path: FieldPath }) => reader.text(each.raw, "name", each.path);
  const gone = new Set(interfaces.filter(({ raw }) => raw["state"] === "absent").map(nameOf));
  const foreign = reader
    .objects(spec, "networks", path)
    .filter((network) => !isRaw(network.raw["pod"]) && !gone.has(nameOf(network)));
  const told = new Set(foreign.map(nameOf));
  const around = interfaces.filter(
    (each) => !told.has(nameOf(each)) && !gone.has(nameOf(each)) && !isCovered(each.raw),
  );
  return [...foreign, ...around].map((each) => escape("uncoveredInterfaces", each.path));
}

const FIELDS_BESIDE_BINDINGS: ReadonlySet<string> = new Set([
  "name",
  "model",
  "macAddress",
  "bootOrder",
  "pciAddress",
  "ports",
  "portRanges",
  "dhcpOptions",
  "tag",
  "acpiIndex",
  "state",
]);

/** Without a binding KubeVirt takes one that is covered. */
function isCovered(netInterface: Raw): boolean {
  const bindings = Object.keys(netInterface).filter((key) => !FIELDS_BESIDE_BINDINGS.has(key));
  return bindings.every((key) => (key === "binding" ? isCoveredPlugin(netInterface[key]) : COVERED_BINDINGS.has(key)));
}

const isCoveredPlugin = (binding: unknown): boolean =>
  isRaw(binding) && typeof binding["name"] === "string" && COVERED_PLUGINS.has(binding["name"]);

function hostDisks(reader: FieldReader, spec: Raw, path: FieldPath): readonly Escape[] {
  return reader.objects(spec, "volumes", path).flatMap((volume) => {
    const disk = reader.object(volume.raw, "hostDisk", volume.path);
    const hostPath = reader.text(disk, "path", [...volume.path, "hostDisk"]);
    if (hostPath === undefined) return [];
    return [escape("hostPath", [...volume.path, "hostDisk", "path"], `hostPath:${cleanPath(hostPath)}`)];
  });
}

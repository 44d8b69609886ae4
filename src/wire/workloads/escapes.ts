import type { Escape, EscapeCheck } from "../../domain/workload.ts";
import { type FieldPath, pathText } from "../documents.ts";
import type { Raw } from "../read-object.ts";
import type { FieldReader } from "./field-reader.ts";

/** The signer whose certificates name workloads. */
export const SIGNER_NAME = "signet.dev/svid";

/** Capabilities that container runtimes give by default; adding these takes a Pod nowhere (Pod Security Standards, Baseline). */
const HARMLESS_CAPABILITIES: ReadonlySet<string> = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

/** The annotations by which a Pod joins further networks, and has another one instead of the cluster's (Multus). */
export const NETWORK_ANNOTATIONS = ["k8s.v1.cni.cncf.io/networks", "v1.multus-cni.io/default-network"] as const;

/** An escape at a field; `permit` is left out where the check is the whole word. */
export const escape = (check: EscapeCheck, path: FieldPath, permit: string = check): Escape => ({
  check,
  permit,
  path: pathText(path),
});

/** Every way out of its own boundary that a Pod's spec asks for. */
export function podEscapes(reader: FieldReader, spec: Raw, path: FieldPath): Escape[] {
  const found: Escape[] = [];
  for (const flag of ["hostNetwork", "hostPID", "hostIPC"] as const)
    if (reader.flag(spec, flag, path)) found.push(escape(flag, [...path, flag]));
  hostProcess(reader, spec, path, found);
  for (const volume of reader.objectsWith(spec, { key: "volumes", path }, mayLeave))
    volumeEscapes(reader, volume.raw, volume.path, found);
  for (const key of ["initContainers", "containers", "ephemeralContainers"])
    for (const container of reader.objectsWith(spec, { key, path }, isSecured))
      containerEscapes(reader, container.raw, container.path, found);
  return found;
}

/** Whether a volume, a container or a source of a volume has a field by which something could leave. */
const mayLeave = (volume: Raw): boolean => volume["hostPath"] !== undefined || volume["projected"] !== undefined;
const isSecured = (container: Raw): boolean => container["securityContext"] !== undefined;
const isCertificate = (source: Raw): boolean => source["podCertificate"] !== undefined;

function containerEscapes(reader: FieldReader, container: Raw, path: FieldPath, found: Escape[]): void {
  const security = reader.object(container, "securityContext", path);
  const at = [...path, "securityContext"];
  if (reader.flag(security, "privileged", at)) found.push(escape("privileged", [...at, "privileged"]));
  hostProcess(reader, container, path, found);
  const capabilities = reader.object(security, "capabilities", at);
  for (const [index, name] of reader.list(capabilities, "add", [...at, "capabilities"]).entries()) {
    const capability = nameOf(name).toUpperCase().replace(/^CAP_/, "");
    if (!HARMLESS_CAPABILITIES.has(capability))
      found.push(escape("capability", [...at, "capabilities", "add", index], `capability:${capability}`));
  }
}

/** What is no text is named as it stands, so that no permit covers it. */
const nameOf = (name: unknown): string => (typeof name === "string" ? name : (JSON.stringify(name) ?? ""));

function hostProcess(reader: FieldReader, holder: Raw, path: FieldPath, found: Escape[]): void {
  if (holder["securityContext"] === undefined) return;
  const security = reader.object(holder, "securityContext", path);
  const windows = reader.object(security, "windowsOptions", [...path, "securityContext"]);
  const at = [...path, "securityContext", "windowsOptions"];
  if (reader.flag(windows, "hostProcess", at)) found.push(escape("hostProcess", [...at, "hostProcess"]));
}

function volumeEscapes(reader: FieldReader, volume: Raw, path: FieldPath, found: Escape[]): void {
  const host = reader.object(volume, "hostPath", path);
  if (host === volume["hostPath"]) {
    const hostPath = reader.text(host, "path", [...path, "hostPath"]) ?? "/";
    found.push(escape("hostPath", [...path, "hostPath", "path"], `hostPath:${cleanPath(hostPath)}`));
  }
  const projected = reader.object(volume, "projected", path);
  const sources = { key: "sources", path: [...path, "projected"] };
  for (const source of reader.objectsWith(projected, sources, isCertificate)) {
    const certificate = reader.object(source.raw, "podCertificate", source.path);
    if (reader.text(certificate, "signerName", [...source.path, "podCertificate"]) === SIGNER_NAME)
      found.push(escape("signerVolume", [...source.path, "podCertificate"]));
  }
}

/** Interfaces beyond the Pod network that annotations ask for; `path` is that of their object. */
export function annotatedNetworks(
  annotations: Readonly<Record<string, string>>,
  path: FieldPath,
  found: Escape[],
): void {
  for (const key of NETWORK_ANNOTATIONS) {
    const networks = annotations[key];
    if (networks !== undefined && !namesNone(networks))
      found.push(escape("uncoveredInterfaces", [...path, "metadata", "annotations", key]));
  }
}

/** Whether it is empty, or an empty list. Without a pattern: whoever creates a Pod chooses how long the blanks are. */
function namesNone(networks: string): boolean {
  const bare = networks.trim();
  return bare === "" || (bare.startsWith("[") && bare.endsWith("]") && bare.slice(1, -1).trim() === "");
}

/** Doubled and trailing slashes away; a path with `..` stays as it is and is covered by no permit. */
export function cleanPath(path: string): string {
  const clean = path.replace(/\/+/g, "/").replace(/(?<=.)\/$/, "");
  return clean.startsWith("/") ? clean : `/${clean}`;
}

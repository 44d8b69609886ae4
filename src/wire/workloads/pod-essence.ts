import { isReservedAnnotation, USERS_MAY_WRITE } from "../../domain/reserved-keys.ts";
import { isRaw, type Raw, rawAt } from "../read-object.ts";
import { NETWORK_ANNOTATIONS } from "./escapes.ts";
import { MIRROR_ANNOTATION } from "./pod-shape.ts";

const READ_ANNOTATIONS: ReadonlySet<string> = new Set([...USERS_MAY_WRITE, ...NETWORK_ANNOTATIONS, MIRROR_ANNOTATION]);

/**
 * A Pod with nothing in it but what a verdict on it, or on its connections, reads: about a tenth of its size. Lists keep their places, so that problems
 * name the same paths as in the whole Pod. Twice the essence is the essence.
 */
export function podEssence(pod: Raw): Raw {
  const { apiVersion, kind } = pod;
  return {
    apiVersion,
    kind,
    metadata: metadataEssence(rawAt(pod, "metadata")),
    spec: isRaw(pod["spec"]) ? specEssence(pod["spec"]) : pod["spec"],
    status: statusEssence(rawAt(pod, "status")),
  };
}

/** Addresses are what data planes know a Pod by that knows no labels. */
const statusEssence = ({ phase, podIP, podIPs }: Raw): Raw =>
  pick({ phase, podIPs: Array.isArray(podIPs) ? podIPs : podIP === undefined ? undefined : [{ ip: podIP }] });

/** Of metadata, what says who an object is, who made it, and what Signet and its users wrote on it. */
export function metadataEssence(metadata: Raw): Raw {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, labels, annotations, ownerReferences } = metadata;
  return pick({
    name,
    namespace,
    uid,
    resourceVersion,
    deletionTimestamp,
    labels,
    annotations: isRaw(annotations) ? onlyRead(annotations) : annotations,
    ownerReferences: Array.isArray(ownerReferences) ? ownerReferences.map(ownerEssence) : ownerReferences,
  });
}

const onlyRead = (annotations: Raw): Raw =>
  Object.fromEntries(
    Object.entries(annotations).filter(([key]) => READ_ANNOTATIONS.has(key) || isReservedAnnotation(key)),
  );

function ownerEssence(owner: unknown): unknown {
  if (!isRaw(owner)) return owner;
  const { apiVersion, kind, name, uid, controller } = owner;
  return pick({ apiVersion, kind, name, uid, controller });
}

function specEssence(spec: Raw): Raw {
  const { serviceAccountName, serviceAccount, hostNetwork, hostPID, hostIPC, nodeName } = spec;
  return pick({
    serviceAccountName,
    serviceAccount: serviceAccount === serviceAccountName ? undefined : serviceAccount,
    hostNetwork,
    hostPID,
    hostIPC,
    nodeName,
    securityContext: securityEssence(spec["securityContext"]),
    volumes: listEssence(spec["volumes"], volumeEssence),
    ...Object.fromEntries(CONTAINER_LISTS.map((list) => [list, listEssence(spec[list], containerEssence)])),
  });
}

const CONTAINER_LISTS = ["initContainers", "containers", "ephemeralContainers"] as const;

/** What stands for a volume or a container that nothing is read of. */
const NOTHING: Raw = Object.freeze({});

/** A list in which nothing is left to read is left out. */
function listEssence(list: unknown, essence: (item: Raw) => Raw): unknown {
  if (!Array.isArray(list)) return list;
  const items: readonly unknown[] = list.map((item: unknown) => (isRaw(item) ? essence(item) : item));
  return items.every((item) => item === NOTHING) ? undefined : items;
}

function volumeEssence({ hostPath, projected }: Raw): Raw {
  const sources = isRaw(projected) ? projected["sources"] : undefined;
  const certificates = listEssence(sources, ({ podCertificate }) =>
    podCertificate === undefined ? NOTHING : { podCertificate },
  );
  return orNothing({
    hostPath,
    projected: isRaw(projected) && certificates !== undefined ? { sources: certificates } : undefined,
  });
}

/** Ports by their names are what sentences may mean; a container that runs on beside the others says `restartPolicy`. */
const containerEssence = ({ securityContext, ports, restartPolicy }: Raw): Raw =>
  orNothing({
    securityContext: securityEssence(securityContext),
    ports: listEssence(ports, ({ name, containerPort, protocol }) => pick({ name, containerPort, protocol })),
    restartPolicy: ports === undefined ? undefined : restartPolicy,
  });

/** Of a Pod or a container: privileged, capabilities that are added, and Windows' way to the host. */
function securityEssence(security: unknown): unknown {
  if (!isRaw(security)) return security;
  const { privileged } = security;
  const { add } = rawAt(security, "capabilities");
  const { hostProcess } = rawAt(security, "windowsOptions");
  const essence = pick({
    privileged: privileged === false ? undefined : privileged,
    capabilities: add === undefined ? undefined : { add },
    windowsOptions: hostProcess === undefined ? undefined : { hostProcess },
  });
  return Object.keys(essence).length === 0 ? undefined : essence;
}

const pick = (fields: Raw): Raw =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const orNothing = (fields: Raw): Raw =>
  Object.values(fields).every((value) => value === undefined) ? NOTHING : pick(fields);

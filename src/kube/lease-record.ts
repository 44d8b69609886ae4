import { type Raw, rawAt, textAt } from "../wire/read-object.ts";
import type { Result } from "../domain/problem.ts";
import { read } from "./client.ts";
import type { Call, Connection } from "./connection.ts";
import { type ObjectName, objectPath, type Resource, withQuery } from "./resources.ts";

const LEASES: Resource = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
};

/** What a Lease says (coordination/v1 LeaseSpec), and the version that a change of it must name. */
export type LeaseRecord = {
  readonly version: string;
  /** Empty: nobody holds it. */
  readonly holder: string;
  /** How often it has changed hands: the fencing token of a term. */
  readonly transitions: number;
  readonly durationMs: number;
};

/** A holder's entry, to be written. */
export type LeaseEntry = Omit<LeaseRecord, "version"> & { readonly now: number };

/** The Lease as an elector sees it. Refusals are values; a server that cannot be reached throws. */
export type LeaseStore = {
  readonly read: () => Promise<Result<LeaseRecord>>;
  /** Server-side apply: RBAC can allow creation by name only where the request names it. Refused where somebody was first. */
  readonly create: (entry: LeaseEntry) => Promise<Result<LeaseRecord>>;
  /** Refused where the Lease has another version by now. */
  readonly replace: (version: string, entry: LeaseEntry) => Promise<Result<LeaseRecord>>;
};

/** Characters of a field manager's name (meta/v1 PatchOptions). */
const MOST_MANAGER = 128;

/** A renewal that takes longer is worth nothing. */
const TIMEOUT_MS = 5_000;

/** The store over the API server. */
export function makeLeaseStore(connection: Pick<Connection, "call">, name: ObjectName): LeaseStore {
  const ask = async (call: Call): Promise<Result<LeaseRecord>> => {
    const whole = { ...call, timeoutMs: TIMEOUT_MS, hurried: true };
    const answered = read(whole, await connection.call(whole));
    return answered.ok ? { ok: true, value: recordOf(answered.value) } : answered;
  };
  return {
    read: () => ask({ method: "GET", path: objectPath(LEASES, name) }),
    create: (entry) =>
      ask({
        method: "PATCH",
        path: withQuery(objectPath(LEASES, name), { fieldManager: entry.holder.slice(0, MOST_MANAGER) }),
        contentType: "application/apply-patch+yaml",
        body: leaseOf(name, entry),
      }),
    replace: (version, entry) =>
      ask({ method: "PUT", path: objectPath(LEASES, name), body: leaseOf(name, entry, version) }),
  };
}

function recordOf(lease: Raw): LeaseRecord {
  const spec = rawAt(lease, "spec");
  const number = (key: string): number => (typeof spec[key] === "number" ? spec[key] : 0);
  return {
    version: textAt(rawAt(lease, "metadata"), "resourceVersion") ?? "",
    holder: textAt(spec, "holderIdentity") ?? "",
    transitions: number("leaseTransitions"),
    durationMs: number("leaseDurationSeconds") * 1000,
  };
}

function leaseOf(name: ObjectName, entry: LeaseEntry, resourceVersion?: string): Raw {
  const renewTime = new Date(entry.now).toISOString().replace("Z", "000Z");
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { ...name, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: {
      holderIdentity: entry.holder,
      leaseDurationSeconds: Math.max(1, Math.ceil(entry.durationMs / 1000)),
      leaseTransitions: entry.transitions,
      renewTime,
    },
  };
}

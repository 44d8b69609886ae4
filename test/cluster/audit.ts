import { readFile } from "node:fs/promises";
import { stringify } from "yaml";

/** Resources of one API group whose requests are recorded with bodies; a subresource is `pods/status`, `*` all. */
export type AuditResource = { readonly group: string; readonly resources: readonly string[] };

/** One line of the audit log (audit.k8s.io/v1 Event), as far as tests read it. */
export type AuditEvent = {
  readonly auditID: string;
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string; readonly groups?: readonly string[] };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource?: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number; readonly reason?: string; readonly message?: string };
  readonly requestObject?: unknown;
  readonly responseObject?: unknown;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly requestReceivedTimestamp: string;
  readonly stageTimestamp: string;
};

/** What is recorded with bodies unless a caller says otherwise: all that makes or changes a Pod, and our own kinds. */
export const DEFAULT_AUDITED: readonly AuditResource[] = [
  {
    group: "",
    resources: ["pods", "pods/status", "pods/binding", "pods/ephemeralcontainers", "pods/resize", "bindings"],
  },
  { group: "certificates.k8s.io", resources: ["podcertificaterequests", "podcertificaterequests/status"] },
  { group: "signet.dev", resources: ["*"] },
];

/** The policy file: writes of `audited` with bodies, other writes as metadata, reads not at all. */
export function auditPolicy(audited: readonly AuditResource[]): string {
  const verbs = ["create", "update", "patch", "delete", "deletecollection"];
  const bodies = { level: "RequestResponse", verbs, resources: audited };
  return stringify({
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    rules: [...(audited.length === 0 ? [] : [bodies]), { level: "Metadata", verbs }, { level: "None" }],
  });
}

/** Reads the log in order; a last line still being written is left out. */
export async function readAuditLog(file: string): Promise<readonly AuditEvent[]> {
  const text = await readFile(file, "utf8");
  const complete = text.slice(0, text.lastIndexOf("\n") + 1);
  return complete
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as AuditEvent);
}

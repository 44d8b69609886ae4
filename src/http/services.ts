import type { IssuingFigures } from "./issuing/figures.ts";
import type { GateAnswer, GateRequest } from "../admission/gate.ts";
import type { Lack } from "../admission/lacks.ts";
import type { Catalogue } from "../domain/catalogue.ts";
import type { Instant } from "../domain/instant.ts";
import type { ProblemCode } from "../domain/problem-codes.ts";
import type { Labels } from "../domain/label-selector.ts";
import type { Launching, Owner, Workload } from "../domain/workload.ts";

/** Which of the two webhooks was asked. */
export type Webhook = "mutate" | "validate";

/** One verdict as it was given, for the ledger. */
export type Judged = {
  readonly webhook: Webhook;
  readonly at: Instant;
  /** Revision of the catalogue that it was judged by. */
  readonly revision: string;
  readonly namespace: string;
  readonly request: GateRequest;
  readonly answer: GateAnswer;
};

/** One line of /readyz: what has to be there, whether it is, and what is to be said of it. */
export type Check = { readonly name: string; readonly ok: boolean; readonly detail: string };

/** Figures that other parts of the server keep, read when /metrics is asked. Instants in milliseconds, sizes in records. */
export type Readings = {
  readonly catalogueReadAt: Instant;
  readonly catalogueBroken: boolean;
  readonly catalogueReads: { readonly good: number; readonly broken: number };
  readonly ledgerQueued: number;
  readonly ledgerWritten: number;
  readonly ledgerDropped: number;
  readonly ledgerFailures: number;
  readonly ledgerFailing: boolean;
  /** Absent where the ledger has no copy. */
  readonly ledgerCopy?: { readonly copied: number; readonly behind: number; readonly failing: boolean };
  readonly certificateNotAfter: Instant;
  /** What is known of the Pods that run; undefined in a replica that does not look after them. */
  readonly pods?: PodReadings | undefined;
  /** What publishing came to; undefined in a replica that does not publish. */
  readonly publishing?: PublishingReadings | undefined;
  /** Bundles of other domains; undefined in a replica that does not fetch them. */
  readonly federation?: FederationReadings | undefined;
  /** Events about objects of the cluster; undefined where there is no cluster. */
  readonly events?: { readonly written: number; readonly dropped: number };
};

/** How many Pods are watched, run without a valid stamp by the reason, were stamped late, run beyond their exception. */
export type PodReadings = {
  readonly watched: number;
  readonly missed: ReadonlyMap<ProblemCode, number>;
  readonly mended: number;
  readonly beyondException: number;
  /** How many would start now, with a warning, not at all. */
  readonly outcomes: Readonly<Record<"pass" | "warn" | "fail", number>>;
};

/** What stands of the compiled objects of each target, what keeps them back, and what was written by this replica. */
export type PublishingReadings = {
  readonly objects: ReadonlyMap<string, { readonly wanted: number; readonly active: number }>;
  /** Losses by their code. */
  readonly blocking: ReadonlyMap<string, number>;
  readonly writes: { readonly apply: number; readonly delete: number };
  readonly mended: number;
  readonly fought: number;
  readonly compileMs: number;
  /** Absent where nothing has begun or ended that is not published yet, and publishing waits for nothing. */
  readonly overdueSince?: Instant;
};

/** How many federated domains stand how, and by the name of each TrustDomain the age of its bundle and when that ends. */
export type FederationReadings = {
  readonly domains: Readonly<Record<"fetched" | "failing" | "missing", number>>;
  /** Seconds. */
  readonly ages: ReadonlyMap<string, number>;
  readonly ends: ReadonlyMap<string, Instant>;
  /** Looks by what they came to, by this replica. */
  readonly refreshes: ReadonlyMap<string, number>;
};

/** Where the server says what happens: a fixed sentence, and fields. */
export type Log = {
  readonly debug: (fields: object, sentence: string) => void;
  readonly info: (fields: object, sentence: string) => void;
  readonly warn: (fields: object, sentence: string) => void;
  readonly error: (fields: object, sentence: string) => void;
};

/** What a server knows of virtual machines that run. */
export type Machines = {
  /** User names whose Pods may be launchers. */
  readonly virtControllers: ReadonlySet<string>;
  /** The instance that a snapshot has; undefined where it has none, which says nothing. */
  readonly find: (namespace: string, owner: Owner) => Workload | undefined;
  /** Whether an instance's status, which KubeVirt writes, names a Pod as its launcher; both by UID. */
  readonly launches: (machine: string, pod: string) => boolean;
  /** Asks the API server for an instance, and for the Pods that its status names as launchers; gives up soon. */
  readonly look: (
    namespace: string,
    owner: Owner,
  ) => Promise<{ readonly machine: Launching["machine"]; readonly launchers: readonly string[] }>;
};

/** All that HTTP needs of the rest of the server; bin/ provides it, tests hand in fakes. */
export type Services = {
  /** The snapshot in force; undefined as long as none could be read. */
  readonly catalogue: () => Catalogue | undefined;
  /**
   * Reads live what a snapshot lacks and gives the snapshot with it; undefined where that took too long. Absent where the
   * catalogue is a folder, which lacks nothing.
   */
  readonly freshen?: (lacks: readonly Lack[]) => Promise<Catalogue | undefined>;
  /** The labels of a stamp that an earlier snapshot gave, by its annotation. Absent where no other replica gives stamps. */
  readonly superseded?: (stamp: string) => Labels | undefined;
  /** KubeVirt's side of a cluster. Absent where the catalogue is a folder: there a launcher is a Pod like any other. */
  readonly machines?: Machines;
  readonly now: () => Instant;
  /** Whether definitions that are not known to be approved refuse. */
  readonly requireApproval: boolean;
  /** By what certificates are delivered to Pods; absent: by nothing. */
  readonly deliver?: () => { readonly podCertificate: boolean };
  /** Takes a verdict for the ledger; never waits and never fails. */
  readonly record: (judged: Judged) => void;
  /** What readiness hangs on, besides not draining. */
  readonly checks: () => readonly Check[];
  readonly readings: () => Readings;
  /** What issuing counts; absent where nothing is issued. */
  readonly issuing?: IssuingFigures;
  readonly log: Log;
};

import type { Json } from "../../src/domain/json-patch.ts";

/** Signet's own account. */
export const SIGNET = "system:serviceaccount:signet-system:signet";

/** One entry of `status.approvals`. */
export type Entry = {
  generation: number;
  by: string;
  at?: string;
  withdraw?: boolean;
  deny?: boolean;
  segment?: string;
  reason?: string;
};

/** An object of one of Signet's kinds, or a Namespace, as an API server holds it. */
export type Stored = {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    generation: number;
    resourceVersion?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: Json;
  status: {
    approvals: Entry[];
    approved?: { generation: number; spec: Json; by: string[]; namespaceUIDs?: Record<string, string> };
    conditions: { type: string; status: string; reason: string; message: string; lastTransitionTime: string }[];
  };
};

/** The editors that the annotation names. */
export const editorsOf = ({ metadata }: Stored): readonly string[] =>
  (metadata.annotations?.["signet.dev/editors"] ?? "")
    .split(",")
    .filter((each) => each !== "")
    .map((each) => each.replaceAll("%2C", ",").replaceAll("%25", "%"));

/** The annotation as the mutating policy writes it at an edit. */
export function nextEditors(user: string, old: Stored | undefined, edited: boolean): string {
  const was = old?.metadata.annotations?.["signet.dev/editors"] ?? "";
  if (!edited) return was;
  const me = user.replaceAll("%", "%25").replaceAll(",", "%2C");
  const fresh = !old || (old.status.approved?.generation ?? 0) === old.metadata.generation;
  if (fresh || was === "") return me;
  return was.split(",").includes(me) ? was : `${was},${me}`;
}

/** One write of a status, and what the policies compare it with. */
export type Write = {
  readonly user: string;
  readonly old: Stored;
  readonly now: Stored;
  /** Of our TrustDomain's generation in force. */
  readonly required: number;
  readonly gitOps: readonly string[];
};

type Rule = { readonly says: string; readonly breaks: (write: Write) => boolean };

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const without = (all: readonly Entry[], others: readonly Entry[]): readonly Entry[] =>
  all.filter((one) => !others.some((other) => same(one, other)));
const added = ({ old, now }: Write) => without(now.status.approvals, old.status.approvals);
const lost = ({ old, now }: Write) => without(old.status.approvals, now.status.approvals);
const gitReviewed = ({ now, gitOps }: Write) => editorsOf(now).every((each) => gitOps.includes(each));

const EVERYBODY: readonly Rule[] = [
  {
    says: "another generation",
    breaks: (write) =>
      added(write).some(
        ({ generation, withdraw }) =>
          generation !== write.now.metadata.generation &&
          !(withdraw === true && generation === write.now.status.approved?.generation),
      ),
  },
  {
    says: "entries changed their places",
    breaks: (write) => {
      const kept = write.old.status.approvals.filter((one) =>
        write.now.status.approvals.some((each) => same(each, one)),
      );
      return !same(write.now.status.approvals, [...kept, ...added(write)]);
    },
  },
];

const APPROVERS: readonly Rule[] = [
  { says: "another's name", breaks: (write) => added(write).some(({ by }) => by !== write.user) },
  {
    says: "an editor",
    breaks: (write) => added(write).some(({ withdraw, deny }) => withdraw !== true && deny !== true) && mayNot(write),
  },
  {
    says: "a service account",
    breaks: (write) => added(write).length > 0 && write.user.startsWith("system:serviceaccount:"),
  },
  { says: "an entry is lost", breaks: (write) => lost(write).length > 0 },
  {
    says: "only Signet writes the rest",
    breaks: ({ old, now }) => !same({ ...old.status, approvals: [] }, { ...now.status, approvals: [] }),
  },
];

const mayNot = ({ user, now }: Write): boolean => editorsOf(now).length === 0 || editorsOf(now).includes(user);

const OURSELVES: readonly Rule[] = [
  {
    says: "a name that Git did not review",
    breaks: (write) => added(write).some(({ by }) => !gitReviewed(write) || !editorsOf(write.now).includes(by)),
  },
  {
    says: "an entry is lost that still counts",
    breaks: (write) => lost(write).some(({ generation }) => generation >= (write.now.status.approved?.generation ?? 0)),
  },
  {
    says: "recorded another generation",
    breaks: (write) => records(write) && write.now.status.approved?.generation !== write.now.metadata.generation,
  },
  {
    says: "recorded another spec",
    breaks: (write) => records(write) && !same(write.now.status.approved?.spec, write.now.spec),
  },
  {
    says: "recorded with too few approvals",
    breaks: (write) => records(write) && !isFree(write) && !isApproved(write),
  },
];

const records = ({ old, now }: Write): boolean =>
  now.status.approved !== undefined && !same(now.status.approved, old.status.approved);

/** The installer's TrustDomain, and policies: whether these need approval their segment says. */
const isFree = (write: Write): boolean =>
  needed(write) === 0 ||
  (write.now.kind === "TrustDomain" && write.now.metadata.generation === 1 && write.old.status.approved === undefined);

function needed({ now, required, gitOps }: Write): number {
  if (now.kind === "SegmentPolicy") return 0;
  const strangers = editorsOf(now).filter(
    (each) => each.startsWith("system:serviceaccount:") && !gitOps.includes(each),
  );
  const escapes = now.kind === "SegmentException" && JSON.stringify(now.spec).includes('"check"');
  return required + Math.min(1, strangers.length) + (escapes ? 1 : 0);
}

function isApproved(write: Write): boolean {
  const { now } = write;
  const by = now.status.approved?.by ?? [];
  const entries = now.status.approvals.filter(
    ({ generation, withdraw, deny }) => generation === now.metadata.generation && withdraw !== true && deny !== true,
  );
  const stands = (name: string): boolean =>
    entries.some((entry) => entry.by === name) && (gitReviewed(write) || !editorsOf(now).includes(name));
  return by.length >= needed(write) && new Set(by).size === by.length && by.every(stands);
}

/** The first rule of the admission policies that a write of a status breaks. */
export const brokenRule = (write: Write): string | undefined =>
  [...EVERYBODY, ...(write.user === SIGNET ? OURSELVES : APPROVERS)].find((rule) => rule.breaks(write))?.says;

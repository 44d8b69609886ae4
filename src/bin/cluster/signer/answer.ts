import { issue, type IssueParts, type IssuedSvid, placeOf } from "../../../ca/issue.ts";
import { readKeyProof } from "../../../ca/key-proof.ts";
import { certificatesPem } from "../../../ca/pem.ts";
import { type Problem, problem, refuse, refuseAll, type Result } from "../../../domain/problem.ts";
import type { LeafKey } from "../../../identity/leaf-key.ts";
import { machineOf } from "../../../identity/restricted.ts";
import { decideAsk, type Outcome, outcomeOf, type Ruling } from "../../../reconcile/certificates/decide.ts";
import { beginRefreshAt } from "../../../reconcile/certificates/refresh.ts";
import type { PodCertificateAsk } from "../../../wire/pod-certificate.ts";
import { deniedStatus, issuedStatus } from "../../../wire/pod-certificate-answer.ts";
import type { Raw } from "../../../wire/read-object.ts";
import type { Witness } from "./witness.ts";

/** The door's name in ledger and metrics. */
export const DOOR = "podCertificateRequest";

/** What is to be written into a request's status, or why it stays pending. */
export type Answer =
  | { readonly do: "write"; readonly status: Raw; readonly outcome: "issued" | "denied"; readonly reason: string }
  | Extract<Outcome, { do: "wait" }>;

/** What answering takes: the certificate's walk, and what the API server holds. */
export type AnswerParts = IssueParts & { readonly witness: Pick<Witness, "seen" | "ask"> };

/** Answers one request. Throws on faults of ours; the request stays pending then. */
export async function answerAsk(ask: PodCertificateAsk, parts: AnswerParts): Promise<Answer> {
  const seen = decideAsk(ask, parts.witness.seen(ask));
  const ruling = seen.do === "sign" ? seen : decideAsk(ask, await parts.witness.ask(ask));
  if (ruling.do === "deny") return denied(ask, ruling, parts);
  const issued = await issueFor(ask, ruling, parts);
  if (issued.ok) return answered(issued.value, parts);
  const { code, message } = issued.problems[0] ?? NO_REASON;
  const outcome = outcomeOf(code, message);
  return outcome.do === "wait" ? outcome : write(outcome.reason, outcome.message, parts);
}

type Signing = Extract<Ruling, { do: "sign" }>;

async function issueFor(ask: PodCertificateAsk, ruling: Signing, parts: IssueParts): Promise<Result<IssuedSvid>> {
  const key = await provedKey(ask, ruling, parts);
  if (!key.ok) return recorded(ask, key.problems, parts);
  return issue(
    {
      ...about(ask),
      bearer: ruling.pod.workload,
      whereabouts: { ...placeAsked(ask), ...machineOf(ruling.pod.workload) },
      csr: key.value,
      ttlSeconds: ruling.ttlSeconds,
    },
    parts,
  );
}

async function provedKey(
  ask: PodCertificateAsk,
  { keyTypes }: Signing,
  { verify }: IssueParts,
): Promise<Result<LeafKey>> {
  const key = await readKeyProof(ask, verify);
  if (!key.ok || keyTypes.includes(key.value.keyType)) return key;
  return refuse("KEY_TYPE_REFUSED", "csr", `The volume asks for a key of type ${keyTypes.join(" or ")}.`);
}

/** Refused before the walk: the ledger has it first all the same. */
async function recorded(
  ask: PodCertificateAsk,
  problems: readonly Problem[],
  parts: IssueParts,
): Promise<Result<never>> {
  const { code, message } = problems[0] ?? NO_REASON;
  await parts.record({ ...line(ask), at: parts.now(), outcome: "refused", code, message });
  return refuseAll(problems);
}

const NO_REASON = problem("INTERNAL", "", "The walk gave no reason.");

const about = ({ namespace, pod, node }: PodCertificateAsk) => ({
  door: DOOR,
  caller: `system:node:${node.name}`,
  subject: `Pod ${namespace}/${pod.name}`,
});

const placeAsked = ({ namespace, pod, node }: PodCertificateAsk) => ({ pod: { namespace, ...pod }, node });

const line = (ask: PodCertificateAsk) => ({ ...about(ask), ...placeOf(placeAsked(ask)) });

/** A denial leaves only when the ledger has it. */
async function denied(ask: PodCertificateAsk, ruling: Extract<Ruling, { do: "deny" }>, parts: AnswerParts) {
  const message = `${ruling.reason}: ${ruling.message}`;
  await parts.record({ ...line(ask), at: parts.now(), outcome: "refused", code: "REQUEST_UNTRUE", message });
  return write(ruling.reason, ruling.message, parts);
}

const write = (reason: string, message: string, { now }: IssueParts): Answer => ({
  do: "write",
  status: deniedStatus(reason, message, now()),
  outcome: "denied",
  reason,
});

function answered({ chain, contents }: IssuedSvid, { now, random }: IssueParts): Answer {
  const { window } = contents;
  const share = (random(1)[0] ?? 0) / 255;
  const times = { ...window, beginRefreshAt: beginRefreshAt(window, share) };
  const status = issuedStatus({ chain: certificatesPem(chain), ...times }, now());
  return { do: "write", status, outcome: "issued", reason: "Issued" };
}

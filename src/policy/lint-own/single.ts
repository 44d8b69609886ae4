import type { WorkloadEnd } from "../../domain/flow.ts";
import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { Problem } from "../../domain/problem.ts";
import type { Peer } from "../../domain/sentences.ts";
import { type Intent, ownsNamespace } from "../intent/intent.ts";
import type { Line } from "../intent/line.ts";
import { meansEnd } from "../intent/match-end.ts";
import { IDLE_TEXT } from "../intent/near-misses.ts";
import { portNamed } from "../intent/passages.ts";
import { peerText } from "../intent/words.ts";
import { includes } from "../sets/intervals.ts";
import { PORT_PASSAGES } from "../intent/passages.ts";
import { segmentOfPeer, portsOf, valueOfPeer } from "./covers.ts";
import { finding } from "./finding.ts";

/** What can be said of each line by itself. Without workloads nothing is called dead. */
export function singleFindings(intent: Intent, ends: readonly WorkloadEnd[], now: Instant): readonly Problem[] {
  return [
    ...intent.idle.map(({ line, because }) =>
      finding("SENTENCE_IDLE", line, `it has no effect: it ${IDLE_TEXT[because]}.`, IDLE_MEND[because]),
    ),
    ...intent.lines.flatMap((line) => [
      ...expired(line, now),
      ...unexplained(line),
      ...withoutEffect(intent, line),
      ...tooWide(line),
      ...deniedByName(line),
      ...(ends.length === 0 ? [] : dead(line, ends)),
    ]),
  ];
}

const IDLE_MEND = {
  unapproved: "Have it approved.",
  "segment-unknown": "Define the segment and have it approved, or correct the name.",
  "namespace-not-owned": "Write it in a namespace of the segment.",
  "namespace-other": "Have a grant signed for the namespace that is there.",
  "role-unknown": "Define the role and have it approved, or correct the name.",
} as const;

const expired = (line: Line, now: Instant): readonly Problem[] =>
  line.expires === undefined || now < line.expires
    ? []
    : [
        finding(
          "SENTENCE_EXPIRED",
          line,
          `it ended at ${formatInstant(line.expires)}.`,
          "Delete it, or write anew until when it holds.",
        ),
      ];

const unexplained = (line: Line): readonly Problem[] =>
  (line.why ?? "").trim() === ""
    ? [finding("SENTENCE_WHY_MISSING", line, "nobody wrote why.", "Write why, for whoever reads it in a year.")]
    : [];

/** A sentence of somebody who owns neither the destination nor, where nobody does, the source. */
function withoutEffect(intent: Intent, line: Line): readonly Problem[] {
  const own = [line.from, line.to].find(
    (peer) => peer.by === "externalIdentity" && peer.spiffeId.startsWith(`spiffe://${intent.catalogue.trustDomain}/`),
  );
  if (own)
    return [
      finding("SENTENCE_IDLE", line, `it has no effect: ${peerText(own)} is an identity of our own.`, "Name the role."),
    ];
  if (line.kind !== "sentence" || line.segment === undefined || mayWrite(intent, line, line.segment)) return [];
  return [
    finding(
      "SENTENCE_IDLE",
      line,
      `it has no effect: segment ${line.segment} does not own ${peerText(line.to)}.`,
      "Let the owner of the destination write it; the owner of the source writes only towards the outside.",
    ),
  ];
}

function mayWrite(intent: Intent, { from, to }: Line, segment: string): boolean {
  if (canOwn(intent, to, segment)) return true;
  return canBeUnowned(intent, to) && canOwn(intent, from, segment);
}

/** Whether somebody that a peer means can be owned by a segment. */
function canOwn({ catalogue }: Intent, peer: Peer, segment: string): boolean {
  if (peer.by === "entity") return peer.name === "any";
  if (peer.by === "namespace") return ownsNamespace(catalogue, segment, peer.name);
  if (peer.by === "environment" || peer.by === "classification")
    return valueOfPeer(catalogue, { by: "segment", name: segment }, peer.by) === peer.name;
  return segmentOfPeer(catalogue, peer) === segment;
}

function canBeUnowned({ catalogue }: Intent, peer: Peer): boolean {
  if (peer.by === "namespace") return (catalogue.namespaces.get(peer.name)?.segments.length ?? 0) === 0;
  return peer.by === "entity" || peer.by === "cidr" || peer.by === "fqdn" || peer.by === "externalIdentity";
}

/** Every port, or a sentence for everybody. What a guardrail opens to everybody is what guardrails are for. */
function tooWide(line: Line): readonly Problem[] {
  if (line.kind === "deny") return [];
  const everyPort = includes(portsOf(line).numbered, PORT_PASSAGES);
  const everybody = line.kind !== "allow" && line.from.by === "entity" && line.from.name === "any";
  return [
    ...(everyPort ? [finding("SENTENCE_OVER_PERMISSIVE", line, "it opens every port.", "Name the ports.")] : []),
    ...(everybody
      ? [
          finding(
            "SENTENCE_OVER_PERMISSIVE",
            line,
            "it opens to everybody, the outside included.",
            "Name who connects.",
          ),
        ]
      : []),
  ];
}

/** A denial by a name that a flow does not carry denies everything whose name is not known. */
const deniedByName = (line: Line): readonly Problem[] =>
  line.kind === "deny" && [line.from, line.to].some(({ by }) => by === "fqdn" || by === "externalIdentity")
    ? [
        finding(
          "DENIAL_BY_NAME",
          line,
          "an outside end whose name is not known is denied too.",
          "Deny by addresses, or leave out what opens it.",
        ),
      ]
    : [];

/** Peers that nobody of the inventory is, and port names that no destination lists. */
function dead(line: Line, ends: readonly WorkloadEnd[]): readonly Problem[] {
  const peers = [line.from, line.to]
    .filter((peer) => canBeDead(peer, ends) && !ends.some((end) => meansEnd(peer, end) === "yes"))
    .map((peer) =>
      finding(
        "SENTENCE_DEAD",
        line,
        `no workload of the files is ${peerText(peer)}.`,
        "Correct the name or the labels, or delete the line.",
      ),
    );
  const destinations = ends.filter((end) => meansEnd(line.to, end) === "yes");
  const names = line.on.flatMap((spec) =>
    "portName" in spec && destinations.length > 0 && !destinations.some((end) => portNamed(spec, end) !== undefined)
      ? [
          finding(
            "SENTENCE_DEAD",
            line,
            `no workload that is ${peerText(line.to)} lists a ${spec.protocol} port "${spec.portName}".`,
            "Write its number, or name the container port.",
          ),
        ]
      : [],
  );
  return [...peers, ...names];
}

/** Of what is not in the files nothing can be said: the platform's own namespaces, and the outside. */
const canBeDead = (peer: Peer, ends: readonly WorkloadEnd[]): boolean =>
  peer.by === "namespace"
    ? ends.some((end) => end.namespace === peer.name)
    : peer.by === "role" || peer.by === "segment" || peer.by === "environment" || peer.by === "classification";

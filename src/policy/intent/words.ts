import { endText, type FlowEnd } from "../../domain/flow.ts";
import { formatInstant } from "../../domain/instant.ts";
import type { Peer, PortSpec } from "../../domain/sentences.ts";
import { dataText } from "./data.ts";
import { type Line, rulingText } from "./line.ts";
import type { Enclosure } from "./pair.ts";
import type { IntentVerdict, Reason } from "./verdict.ts";

type Of<K extends Reason["kind"]> = Extract<Reason, { kind: K }>;

/** One wording for each kind of reason. */
const WORDS: { readonly [K in Reason["kind"]]: (reason: Of<K>) => string } = {
  unknown: ({ what }) => `Denied: ${what}.`,
  quarantined: ({ end, ruling }) => `${endText(end)} is in quarantine by ${rulingText(ruling)}: ${ruling.reason}`,
  denied: ({ ruling, perhaps }) =>
    `Denied by ${rulingText(ruling)}${whyText(ruling)}${perhaps ? " Whether it means this is not known." : ""}`,
  fenced: ({ ruling, crossed }) =>
    `The ${ruling.dimension} fence of ${rulingText(ruling)} stands between ${crossed.from} and ${crossed.to}.`,
  granted: grantedText,
  intra: ({ segment }) => `Segment ${segment} lets its roles talk (intra: allow).`,
  data: ({ rulings }) => `Opened by ${listOf(rulings)}, but not for this data.`,
  enclosed: ({ by }) => `Nothing opens it, and ${enclosureText(by)}.`,
  open: () => "Its segment, if any, is not in force here.",
  "no-door": () => "No door of ours.",
};

/** What decided, as one sentence that names object, place and source. */
export function reasonText<K extends Reason["kind"]>(reason: Of<K>): string {
  const word: (reason: Of<K>) => string = WORDS[reason.kind];
  return word(reason);
}

function grantedText({ rulings, crosses }: Of<"granted">): string {
  const first = rulings[0];
  const limits = rulings.every(({ data }) => data !== undefined)
    ? ` For ${rulings.map(({ data }) => (data ? dataText(data) : "")).join("; or ")} only.`
    : "";
  const lifts = crosses ? `, which lifts ${rulingText(crosses)}` : "";
  return `Opened by ${listOf(rulings)}${lifts}${first ? whyText(first) : "."}${limits}${endsText(first)}`;
}

const listOf = (lines: readonly Line[]): string => lines.map(rulingText).join(" and ");

/** `: checkout writes orders (SHOP-412).`, or a full stop. */
const whyText = ({ why, ticket }: Line): string => {
  const reference = ticket === undefined ? "" : ` (${ticket})`;
  return why === undefined ? `${reference}.` : `: ${why.replace(/\.$/, "")}${reference}.`;
};

const endsText = (line: Line | undefined): string =>
  line?.expires === undefined ? "" : ` It ends at ${formatInstant(line.expires)}.`;

/** `segment payments is in force (mode enforce)`. */
export const enclosureText = ({ segment, mode, namespace }: Enclosure): string =>
  namespace === undefined
    ? `segment ${segment} is in force (mode ${mode})`
    : `segment ${segment} is in force (mode ${mode}) in the enrolled namespace ${namespace}`;

/** `role orders-db`, `namespace kube-system (k8s-app In kube-dns)`, `10.0.0.0/8`, `outside`. */
export function peerText(peer: Peer): string {
  if (peer.by === "cidr") return peer.cidr.text;
  if (peer.by === "externalIdentity") return peer.spiffeId;
  if (peer.by === "fqdn" || peer.by === "entity") return peer.name;
  if (peer.by !== "namespace" || peer.podLabels.length === 0) return `${peer.by} ${peer.name}`;
  const labels = peer.podLabels.map(({ key, operator, values }) => `${key} ${operator} ${values.join("|")}`.trim());
  return `namespace ${peer.name} (${labels.join(", ")})`;
}

/** `tcp/5432, udp/8000-8100, icmp/8, any`, as one writes it. */
export const portsText = (on: readonly PortSpec[]): string => on.map(portText).join(", ");

function portText(spec: PortSpec): string {
  if ("portName" in spec) return `${spec.protocol}/${spec.portName}`;
  if ("first" in spec) {
    if (spec.first === 1 && spec.last === 65535) return spec.protocol;
    return `${spec.protocol}/${spec.first === spec.last ? spec.first : `${spec.first}-${spec.last}`}`;
  }
  return "type" in spec && spec.type !== undefined ? `${spec.protocol}/${spec.type}` : spec.protocol;
}

/** `role web -> role orders-db on tcp/5432`: a line's own words. */
export const lineText = ({ from, to, on }: Pick<Line, "from" | "to" | "on">): string =>
  `${peerText(from)} -> ${peerText(to)} on ${portsText(on)}`;

/** The text of an end with its role. */
export const endWithRole = (end: FlowEnd): string =>
  end.kind === "workload" && end.role !== undefined ? `${endText(end)} (role ${end.role})` : endText(end);

/** What opens a flow, in a few words each: the lines, or that nothing closes it. */
export function rulingNames({ reason, ingress, egress }: IntentVerdict): readonly string[] {
  if (reason.kind === "granted") return reason.rulings.map(rulingText);
  if (reason.kind === "intra") return [`intra: allow of segment ${reason.segment}`];
  return [egress, ingress].some((door) => door.reason.kind === "open") ? ["no segment in force on either side"] : [];
}

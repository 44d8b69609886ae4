import type { Static } from "typebox";
import { parseCidr } from "../../domain/cidr.ts";
import { parseInstant } from "../../domain/instant.ts";
import { parseSpiffeId } from "../../domain/spiffe-id.ts";
import { ok, refuseAll, type Result } from "../../domain/problem.ts";
import type { DataClause, GrantedSentence, Peer, PortSpec, Sentence } from "../../domain/sentences.ts";
import { type FieldPath, pathText } from "../documents.ts";
import type { denial, grantedSentence, peer, sentence } from "../kinds/sentence.ts";
import { type Place, problemAt, refuseAt, sourceOf } from "../read-object.ts";
import { SENSELESS, selectorOf, senselessRequirement } from "./selector.ts";

type RawPeer = Static<ReturnType<typeof peer>>;
type RawSentence = Static<typeof sentence> | Static<typeof denial>;

/** Turns a sentence as written into domain words; every wrong part is named with its line. */
export function sentenceOf(raw: RawSentence, place: Place, path: FieldPath): Result<Sentence> {
  const ends = endsOf(raw, place, path);
  const window = windowOf(raw, place, path);
  const problems = [...(ends.ok ? [] : ends.problems), ...(window.ok ? [] : window.problems)];
  if (!ends.ok || !window.ok) return refuseAll(problems);
  return ok({
    path: pathText(path),
    source: sourceOf(place, path),
    ...ends.value,
    ...window.value,
    ...("data" in raw && raw.data !== undefined ? { data: dataOf(raw.data) } : {}),
    ...(raw.why === undefined ? {} : { why: raw.why }),
    ...(raw.ticket === undefined ? {} : { ticket: raw.ticket }),
  });
}

/** The two ends and the ports; a denial without ports means all of them. */
export function endsOf(
  raw: RawSentence | Static<typeof grantedSentence>,
  place: Place,
  path: FieldPath,
): Result<GrantedSentence> {
  const from = peerOf(raw.from, place, [...path, "from"]);
  const to = peerOf(raw.to, place, [...path, "to"]);
  const on = (raw.on ?? ["any"]).map((text, index) => portOf(text, place, [...path, "on", index]));
  const problems = [from, to, ...on].flatMap((part) => (part.ok ? [] : part.problems));
  if (!from.ok || !to.ok || problems.length > 0) return refuseAll(problems);
  return ok({ from: from.value, to: to.value, on: on.flatMap((part) => (part.ok ? [part.value] : [])) });
}

function peerOf(raw: RawPeer, place: Place, path: FieldPath): Result<Peer> {
  const named = Object.keys(raw);
  if (named.length !== 1)
    return refuseAt(place, path, {
      code: "FIELD_CONFLICT",
      message: named.length === 0 ? "Nobody is named here." : `Several ways of naming somebody: ${named.join(", ")}.`,
      mend: "Name exactly one of role, segment, environment, classification, namespace, cidr, fqdn, externalIdentity, entity.",
    });
  for (const by of ["role", "segment", "environment", "classification"] as const) {
    const name = raw[by];
    if (name !== undefined) return ok({ by, name });
  }
  return namedOtherwise(raw, place, path);
}

/** Peers that are no group of workloads. */
function namedOtherwise(raw: RawPeer, place: Place, path: FieldPath): Result<Peer> {
  if (raw.entity !== undefined) return ok({ by: "entity", name: raw.entity });
  if (raw.cidr !== undefined) return cidrOf(raw.cidr, place, [...path, "cidr"]);
  if (raw.fqdn !== undefined) return ok({ by: "fqdn", name: raw.fqdn });
  if (raw.externalIdentity !== undefined) return identityOf(raw.externalIdentity, place, [...path, "externalIdentity"]);
  if (raw.namespace === undefined) return refuseAt(place, path, { code: "FIELD_MISSING", message: "Nobody is named." });
  const senseless = senselessRequirement(raw.namespace.podLabels);
  if (senseless !== undefined)
    return refuseAt(place, [...path, "namespace", "podLabels", "matchExpressions", senseless], SENSELESS);
  return ok({ by: "namespace", name: raw.namespace.name, podLabels: selectorOf(raw.namespace.podLabels) });
}

/** Letter for letter, as its certificate carries it: an identity written otherwise would never be met (SPIFFE-ID §2). */
function identityOf(text: string, place: Place, path: FieldPath): Result<Peer> {
  if (parseSpiffeId(text, "").ok) return ok({ by: "externalIdentity", spiffeId: text });
  return refuseAt(place, path, {
    code: "FIELD_INVALID",
    message: `"${text.slice(0, 80)}" is not the SPIFFE ID of a workload.`,
    mend: "Write spiffe://TRUST-DOMAIN/PATH, for example spiffe://partner.example.org/ns/shop/sa/cart.",
  });
}

function cidrOf(text: string, place: Place, path: FieldPath): Result<Peer> {
  const cidr = parseCidr(text, pathText(path));
  if (cidr.ok) return ok({ by: "cidr", cidr: cidr.value });
  return refuseAll(cidr.problems.map((found) => ({ ...found, source: sourceOf(place, path) })));
}

function portOf(text: string, place: Place, path: FieldPath): Result<PortSpec> {
  const port = parsePort(text);
  return port === undefined ? badPort(text, place, path) : ok(port);
}

/** Reads one entry of `on`; undefined where it names no port. */
function parsePort(text: string): PortSpec | undefined {
  const [protocol = "", rest] = text.split("/");
  switch (protocol) {
    case "any":
      return { protocol };
    case "icmp":
    case "icmpv6":
      return icmpType(protocol, rest);
    case "tcp":
    case "udp":
    case "sctp":
      return rest === undefined ? { protocol, first: 1, last: 65535 } : parseRange(protocol, rest);
    default:
      return undefined;
  }
}

function icmpType(protocol: "icmp" | "icmpv6", type: string | undefined): PortSpec | undefined {
  if (type === undefined) return { protocol };
  return Number(type) < 256 ? { protocol, type: Number(type) } : undefined;
}

/** Longest name of a port (RFC 6335 §5.1). */
const MAX_PORT_NAME = 15;

function parseRange(protocol: "tcp" | "udp" | "sctp", text: string): PortSpec | undefined {
  const range = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (!range) return text.length > MAX_PORT_NAME ? undefined : { protocol, portName: text };
  const first = Number(range[1]);
  const last = Number(range[2] ?? range[1]);
  return first >= 1 && first <= last && last <= 65535 ? { protocol, first, last } : undefined;
}

const badPort = (text: string, place: Place, path: FieldPath): Result<never> =>
  refuseAll([
    problemAt(place, path, {
      code: "FIELD_INVALID",
      message: `"${text}" names no port.`,
      mend: "Ports run from 1 to 65535, ranges upwards, ICMP types to 255: tcp/5432, udp/8000-8100, icmp/8. Names have at most 15 characters.",
    }),
  ]);

/** `notBefore` and `expires` as instants; the first must lie before the second. */
export function windowOf(
  raw: { readonly notBefore?: string; readonly expires?: string },
  place: Place,
  path: FieldPath,
): Result<{ notBefore?: number; expires?: number }> {
  const window: { notBefore?: number; expires?: number } = {};
  for (const key of ["notBefore", "expires"] as const) {
    const text = raw[key];
    if (text === undefined) continue;
    const at = parseInstant(text, pathText([...path, key]));
    if (!at.ok) return refuseAll(at.problems.map((found) => ({ ...found, source: sourceOf(place, [...path, key]) })));
    window[key] = at.value;
  }
  if (window.notBefore === undefined || window.expires === undefined || window.notBefore < window.expires)
    return ok(window);
  const message = "It ends before it begins.";
  const mend = "Let notBefore lie before expires.";
  return refuseAll([problemAt(place, [...path, "expires"], { code: "FIELD_CONFLICT", message, mend })]);
}

function dataOf(raw: NonNullable<Static<typeof sentence>["data"]>): DataClause {
  return {
    protocol: raw.protocol,
    required: raw.required ?? false,
    ...(raw.operations === undefined ? {} : { operations: raw.operations }),
    ...(raw.tables === undefined ? {} : { tables: raw.tables }),
    ...(raw.paths === undefined ? {} : { paths: raw.paths }),
  };
}

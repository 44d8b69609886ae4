import type { FlowEnd } from "../../domain/flow.ts";
import type { Peer } from "../../domain/sentences.ts";
import type { Line } from "./line.ts";

/** Lines by the names that their ends are called by, so that a flow looks at few of them. */
export type LineIndex = ReadonlyMap<string, ReadonlyMap<string, readonly Line[]>>;

/** Peers that are not looked up by one name: addresses, DNS names, federated identities, entities. */
const OTHER = "other";

const keyOfPeer = (peer: Peer): string =>
  peer.by === "cidr" || peer.by === "fqdn" || peer.by === "externalIdentity" || peer.by === "entity"
    ? OTHER
    : `${peer.by} ${peer.name}`;

/** Builds the index; destinations first, as most lines name them most closely. */
export function indexLines(lines: readonly Line[]): LineIndex {
  const index = new Map<string, Map<string, Line[]>>();
  for (const line of lines) {
    const to = keyOfPeer(line.to);
    const sources = index.get(to) ?? new Map<string, Line[]>();
    index.set(to, sources);
    const from = keyOfPeer(line.from);
    const list = sources.get(from);
    if (list) list.push(line);
    else sources.set(from, [line]);
  }
  return index;
}

const known = new WeakMap<FlowEnd, readonly string[]>();

/** The keys under which peers that may mean an end are found. */
function keysOfEnd(end: FlowEnd): readonly string[] {
  const before = known.get(end);
  if (before) return before;
  const keys = [OTHER];
  if (end.kind === "workload") {
    for (const by of ["role", "segment", "environment", "classification"] as const) {
      const name = end[by];
      if (name !== undefined) keys.push(`${by} ${name}`);
    }
    if (end.role === undefined) keys.push(`namespace ${end.namespace}`);
  }
  known.set(end, keys);
  return keys;
}

const NONE: readonly Line[] = [];

/** The lines whose ends may be these two. On the hot path: plain loops, and no list where one is enough. */
export function linesBetween(index: LineIndex, from: FlowEnd, to: FlowEnd): readonly Line[] {
  if (index.size === 0) return NONE;
  const sources = keysOfEnd(from);
  let found: readonly Line[] = NONE;
  for (const key of keysOfEnd(to)) {
    const bySource = index.get(key);
    if (bySource === undefined) continue;
    for (const source of sources) {
      const lines = bySource.get(source);
      if (lines !== undefined) found = found === NONE ? lines : [...found, ...lines];
    }
  }
  return found;
}

import type { Catalogue } from "../../domain/catalogue.ts";
import type { Problem } from "../../domain/problem.ts";
import type { Intent } from "../intent/intent.ts";
import { namesExactly } from "../intent/intent.ts";
import type { Fence, Line } from "../intent/line.ts";
import {
  coversData,
  coversPeer,
  coversPorts,
  coversWindow,
  peerKey,
  portsMeet,
  portsOf,
  segmentOfPeer,
  valueOfPeer,
  type WrittenPorts,
} from "./covers.ts";
import { finding, named } from "./finding.ts";

type Prepared = { readonly line: Line; readonly ports: WrittenPorts; readonly key: string; readonly ends: string };

/** Lines that repeat, contain, contradict or belong with each other. */
export function pairFindings(intent: Intent): readonly Problem[] {
  const all = intent.lines.map(prepare);
  const opens = all.filter(({ line }) => line.kind !== "deny");
  const denies = all.filter(({ line }) => line.kind === "deny");
  return [
    ...duplicates(all),
    ...opens.flatMap((one) => redundant(intent, one, opens)),
    ...denies.flatMap((one) => shadowed(intent, one, denies)),
    ...opens.flatMap((one) => contradicted(intent, one, denies)),
    ...consolidatable(opens),
  ];
}

function prepare(line: Line): Prepared {
  const ports = portsOf(line);
  const ends = JSON.stringify([
    line.kind === "deny",
    peerKey(line.from),
    peerKey(line.to),
    line.data ?? null,
    line.notBefore ?? null,
    line.expires ?? null,
  ]);
  return { line, ports, ends, key: `${ends} ${JSON.stringify(ports)}` };
}

function duplicates(all: readonly Prepared[]): readonly Problem[] {
  const first = new Map<string, Line>();
  return all.flatMap(({ line, key }) => {
    const before = first.get(key);
    if (!before) {
      first.set(key, line);
      return [];
    }
    return [finding("SENTENCE_DUPLICATE", line, `the same stands in ${named(before)}.`, "Delete one of the two.")];
  });
}

/** A line within another says nothing more; duplicates are said by themselves. */
function redundant({ catalogue }: Intent, inner: Prepared, opens: readonly Prepared[]): readonly Problem[] {
  const outer = opens.find(
    (one) =>
      one !== inner && one.key !== inner.key && mayReplace(one.line, inner.line) && contains(catalogue, one, inner),
  );
  const mend = "Delete it; or narrow the wider one.";
  if (outer) return [finding("SENTENCE_REDUNDANT", inner.line, `${named(outer.line)} opens all of it already.`, mend)];
  const [from, to] = [segmentOfPeer(catalogue, inner.line.from), segmentOfPeer(catalogue, inner.line.to)];
  if (from === undefined || from !== to || catalogue.segments.get(from)?.intra !== "allow") return [];
  return [finding("SENTENCE_REDUNDANT", inner.line, `segment ${from} lets its roles talk (intra: allow).`, mend)];
}

/** Whether a line opens wherever another may: a guardrail everywhere, a sentence where one of the same segment does. */
const mayReplace = (outer: Line, inner: Line): boolean =>
  inner.kind !== "exception" &&
  outer.kind !== "exception" &&
  (outer.kind === "allow" || (inner.kind === "sentence" && outer.segment === inner.segment));

const contains = (catalogue: Catalogue, outer: Prepared, inner: Prepared): boolean =>
  coversEnds(catalogue, outer.line, inner.line) &&
  coversPorts(outer.ports, inner.ports) &&
  coversData(outer.line.data, inner.line.data) &&
  coversWindow(outer.line, inner.line);

const coversEnds = (catalogue: Catalogue, outer: Line, inner: Line): boolean =>
  coversPeer(catalogue, outer.to, inner.to) && coversPeer(catalogue, outer.from, inner.from);

/** A denial that never decides: another denial, or a fence, denies all that it does. */
function shadowed(intent: Intent, inner: Prepared, denies: readonly Prepared[]): readonly Problem[] {
  const outer =
    denies.find((one) => one !== inner && one.key !== inner.key && contains(intent.catalogue, one, inner))?.line ??
    fenceBetween(intent, inner.line);
  if (!outer) return [];
  return [
    finding("SENTENCE_SHADOWED", inner.line, `it never decides: ${named(outer)} denies all of it.`, "Delete it."),
  ];
}

function fenceBetween({ catalogue, fences }: Intent, { from, to }: Line): Fence | undefined {
  return fences.find(({ dimension }) => {
    const [left, right] = [valueOfPeer(catalogue, from, dimension), valueOfPeer(catalogue, to, dimension)];
    return left !== undefined && right !== undefined && left !== right;
  });
}

/** Something is opened that a denial or a fence closes; an exception that names both ends exactly is meant to. */
function contradicted(intent: Intent, inner: Prepared, denies: readonly Prepared[]): readonly Problem[] {
  const { line } = inner;
  if (line.kind === "exception" && namesExactly(line)) return [];
  const fence = fenceBetween(intent, line);
  const outer = denies.find(
    (one) =>
      coversEnds(intent.catalogue, one.line, line) && portsMeet(one.ports, inner.ports) && coversWindow(one.line, line),
  );
  const mend = "Delete it, or have an exception approved that names exactly this.";
  if (fence) return [finding("SENTENCE_CONTRADICTED", line, `${named(fence)} keeps its two ends apart.`, mend)];
  if (!outer) return [];
  const part = coversPorts(outer.ports, inner.ports) ? "all of it" : "a part of it";
  return [finding("SENTENCE_CONTRADICTED", line, `${named(outer.line)} denies ${part}.`, mend)];
}

/** Lines of one owner that differ in their ports only. */
function consolidatable(opens: readonly Prepared[]): readonly Problem[] {
  const first = new Map<string, Prepared>();
  return opens.flatMap((one) => {
    const { line, ends, key } = one;
    if (line.kind === "exception") return [];
    const owner = `${line.kind} ${line.segment ?? line.object} ${ends}`;
    const before = first.get(owner);
    if (!before) {
      first.set(owner, one);
      return [];
    }
    if (before.key === key || coversPorts(before.ports, one.ports) || coversPorts(one.ports, before.ports)) return [];
    const mend = "Write one sentence with the ports of both.";
    return [finding("SENTENCE_CONSOLIDATABLE", line, `it differs from ${named(before.line)} in its ports only.`, mend)];
  });
}

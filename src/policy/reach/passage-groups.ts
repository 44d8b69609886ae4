import { EVERY_PASSAGE } from "../intent/passages.ts";
import { includes, pairs } from "../sets/intervals.ts";
import type { Rectangle, Rectangles } from "./rectangles.ts";

/** Passages that the same rectangles cover; `any` are those that cover every passage, and stand in no group. */
export type PassageGroups = { readonly any: Rectangles; readonly groups: readonly Rectangles[] };

const KINDS = ["opens", "denies", "crosses"] as const;

/** Parts all passages by which rectangles cover them; of passages that the same ones cover one group stands for all. */
export function passageGroups(all: Rectangles): PassageGroups {
  const isAny = ({ passages }: Rectangle): boolean => includes(passages, EVERY_PASSAGE);
  const narrow = KINDS.flatMap((kind) =>
    all[kind].filter((one) => !isAny(one)).map((rectangle) => ({ kind, rectangle })),
  );
  const cuts = [...new Set([...EVERY_PASSAGE, ...narrow.flatMap(({ rectangle }) => [...rectangle.passages])])].sort(
    (a, b) => a - b,
  );
  const place = new Map(cuts.map((cut, index) => [cut, index]));
  const covering: number[][] = cuts.map(() => []);
  for (const [id, { rectangle }] of narrow.entries())
    for (const [from, until] of pairs(rectangle.passages))
      for (let at = place.get(from) ?? 0; at < (place.get(until) ?? 0); at += 1) covering[at]?.push(id);
  const inside = new Set(
    pairs(EVERY_PASSAGE).flatMap(([from, until]) => cuts.filter((cut) => cut >= from && cut < until)),
  );
  const groups = new Map(
    cuts.flatMap((cut, at) => (inside.has(cut) ? [[covering[at]?.join() ?? "", covering[at] ?? []]] : [])),
  );
  const pick = (ids: readonly number[], kind: (typeof KINDS)[number]): readonly Rectangle[] =>
    ids.flatMap((id) => (narrow[id]?.kind === kind ? [narrow[id].rectangle] : []));
  return {
    any: { opens: all.opens.filter(isAny), denies: all.denies.filter(isAny), crosses: all.crosses.filter(isAny) },
    groups: [...groups.values()].map((ids) => ({
      opens: pick(ids, "opens"),
      denies: pick(ids, "denies"),
      crosses: pick(ids, "crosses"),
    })),
  };
}

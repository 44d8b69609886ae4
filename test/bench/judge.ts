import { type Catalogue, makeCatalogue } from "../../src/domain/catalogue.ts";
import { type Compilation, compile } from "../../src/policy/compile/compile.ts";
import type { Site } from "../../src/policy/compile/doors.ts";
import { compileIntent } from "../../src/policy/intent/intent.ts";
import { memberOf } from "../policy/compile/random-site.ts";
import type { Fleet } from "./traffic.ts";

/** Where the workloads of a fleet run. */
export const SITE: Site = {
  canaries: [],
  machines: [],
  pods: [],
  networks: [],
  podNetworks: { v4: [0x0a000000, 0x0b000000], v6: [] },
};

/** The catalogue with the ports of one sentence changed. */
export function withOneChanged(catalogue: Catalogue, round: number): Catalogue {
  const [first, ...rest] = catalogue.definitions.policies;
  if (!first) return catalogue;
  const port = 10_000 + round;
  const allow = first.allow.map((line, index) =>
    index === 0 ? { ...line, on: [{ protocol: "tcp", first: port, last: port } as const] } : line,
  );
  return makeCatalogue({ ...catalogue.definitions, policies: [{ ...first, allow }, ...rest] }, `changed ${round}`);
}

/** Milliseconds to compile to NetworkPolicies and compare what they admit with what is meant; and again after a change. */
export type Judged = { readonly judgedMs: number; readonly judgedAgainMs: number };

/** Compiles and compares a fleet as publishing does: whole, and beside that once more after one sentence has changed. */
export function judgeOnce({ catalogue, ends }: Fleet): Judged {
  const members = ends.map(({ end }) => memberOf(end));
  const judge = (of: Catalogue, before?: Compilation): Compilation => {
    const intent = compileIntent(of, before?.doors.intent);
    const order = { intent, site: SITE, targets: ["networkpolicy"] as const, foreign: [], members, now: 0 };
    const judged = compile(order, before);
    if (!judged.ok) throw new Error("what was compiled could not be read");
    return judged.value;
  };
  const [whole, judgedMs] = timed(() => judge(catalogue));
  const [, judgedAgainMs] = timed(() => judge(withOneChanged(catalogue, 1), whole));
  return { judgedMs, judgedAgainMs };
}

/** What was made, and how long that took. */
export function timed<T>(run: () => T): readonly [made: T, ms: number] {
  const started = performance.now();
  const made = run();
  return [made, performance.now() - started];
}

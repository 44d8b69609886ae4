import type { Cluster } from "../boot.ts";
import { type Outcome, type Probe, type Prober, startProber } from "./prober.ts";

/** A Pod as probes see it; `listens` are ports like `tcp/5432` that its program really has open. */
export type Peer = {
  readonly name: string;
  readonly uid: string;
  readonly ip: string;
  readonly listens: readonly string[];
};

/** Outcomes by line, `web -> db tcp/5432`, for every ordered pair of peers and every port that any of them listens on. */
export type Matrix = ReadonlyMap<string, Outcome>;

/**
 * Probes between Pods, begun with a control: without any policy every listening port is open and every other refused,
 * else the network itself is at fault and a later "dropped" would prove nothing.
 *
 *     const probing = await startProbing(cluster, await peersOf(cluster, (pod) => ["tcp/5432", "udp/53"]));
 *     await probing.until((line) => line === "web -> db tcp/5432");   // only this is let through
 *     const ms = await probing.effect(["web -> db tcp/5432"], "dropped", () => deletePolicy());
 */
export type Probing = {
  /** One full round now. A line that is dropped costs `patienceMs`; all lines together cost no more than one. */
  readonly matrix: (patienceMs?: number) => Promise<Matrix>;
  /**
   * Polls until exactly the lines that `passes` names are let through (open, or refused where nobody listens) and all
   * others dropped, twice in a row; throws after a minute with the lines that differ.
   */
  readonly until: (passes: (line: string) => boolean) => Promise<void>;
  /** Does `change`, and measures the milliseconds from its resolving until all these lines have that outcome; 0 if before. */
  readonly effect: (lines: readonly string[], outcome: Outcome, change: () => Promise<unknown>) => Promise<number>;
  /**
   * Connects over and over while `change` is made and resolves, and gives what should not have been: a line of `always` whose
   * program was not reached, and a line of `never` that was let through.
   */
  readonly during: (watched: Watched, change: () => Promise<unknown>) => Promise<readonly string[]>;
  /** Makes a TCP connection for each of these lines, and keeps them. Throws where one cannot be made. */
  readonly hold: (held: (line: string) => boolean) => Promise<Held>;
  readonly close: () => Promise<void>;
};

/** Lines that stay open throughout a change, and lines that stay closed. */
export type Watched = { readonly always: (line: string) => boolean; readonly never: (line: string) => boolean };

/** Connections that stand. */
export type Held = {
  /** The lines over which something still comes back. */
  readonly answering: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
};

const PATIENCE_MS = 500;
/** Long enough that a handshake whose first packet was dropped is completed by its second, after a second. */
const PATIENT_MS = 5000;
const LIMIT_MS = 60_000;

/** Starts probing; resolves when the control has been seen, and throws with what was not as it must be. */
export async function startProbing(cluster: Cluster, peers: readonly Peer[]): Promise<Probing> {
  const prober = startProber(cluster);
  const lines = linesOf(peers);
  const probing = probingWith(prober, lines, () => startProber(cluster));
  const control = await pollUntil(probing.matrix, (matrix) =>
    differences(lines, matrix, ({ listening }) => (listening ? "open" : "refused")),
  );
  if (control.length === 0) return probing;
  await prober.close();
  throw new Error(`without any policy, not everything is open:\n${control.join("\n")}`);
}

type Line = Probe & { readonly text: string; readonly listening: boolean };

function probingWith(prober: Prober, lines: readonly Line[], another: () => Prober): Probing {
  const matrixOf = async (asked: readonly Line[], patienceMs: number): Promise<Matrix> => {
    const outcomes = await prober.round(asked, patienceMs);
    return new Map(asked.map(({ text }, index) => [text, outcomes[index] ?? "gone"]));
  };
  const matrix = (patienceMs = PATIENCE_MS) => matrixOf(lines, patienceMs);
  return {
    matrix,
    until: async (passes) => {
      const expected = ({ text, listening }: Line): Outcome =>
        passes(text) ? (listening ? "open" : "refused") : "dropped";
      const left = await pollUntil(matrix, (seen) => differences(lines, seen, expected));
      if (left.length > 0) throw new Error(`after a minute these differ:\n${left.join("\n")}`);
    },
    effect: async (texts, outcome, change) => {
      const asked = lines.filter(({ text }) => texts.includes(text));
      let since = Number.POSITIVE_INFINITY;
      const changing = change().then(() => {
        since = performance.now();
      });
      for (const began = performance.now(); performance.now() - began < LIMIT_MS; ) {
        const asking = performance.now();
        const seen = await matrixOf(asked, 100);
        if (![...seen.values()].every((each) => each === outcome)) continue;
        await changing;
        return Math.max(0, asking - since);
      }
      throw new Error(`after a minute not yet ${outcome}: ${texts.join(", ")}`);
    },
    during: async ({ always, never }, change) => {
      const ended = new AbortController();
      const wrong = [
        watch(
          another(),
          lines.filter(({ text, listening }) => listening && always(text)),
          ["open"],
          ended.signal,
        ),
        watch(
          another(),
          lines.filter(({ text }) => never(text)),
          ["dropped"],
          ended.signal,
        ),
      ];
      await change().finally(() => ended.abort());
      return (await Promise.all(wrong)).flat();
    },
    hold: (held) =>
      holdOpen(
        another(),
        lines.filter(({ text, listening, proto }) => listening && proto === "tcp" && held(text)),
      ),
    close: prober.close,
  };
}

async function holdOpen(prober: Prober, lines: readonly Line[]): Promise<Held> {
  const probes = lines.map((line) => ({ ...line, proto: "live" as const }));
  const answering = async (): Promise<readonly string[]> => {
    const outcomes = await prober.round(probes, PATIENCE_MS);
    return lines.filter((_, index) => outcomes[index] === "open").map(({ text }) => text);
  };
  const first = await answering();
  if (first.length === lines.length) return { answering, close: prober.close };
  await prober.close();
  throw new Error(`${lines.length - first.length} of ${lines.length} connections could not be made`);
}

/** Asks for the same lines until the end, and gives each outcome that is not among those expected. */
async function watch(
  prober: Prober,
  lines: readonly Line[],
  expected: readonly Outcome[],
  end: AbortSignal,
): Promise<readonly string[]> {
  const wrong = new Set<string>();
  let rounds = 0;
  for (; !end.aborted || rounds === 0; rounds += 1) {
    const outcomes = await prober.round(lines, expected.includes("open") ? PATIENT_MS : PATIENCE_MS);
    for (const [index, { text }] of lines.entries()) {
      const outcome = outcomes[index] ?? "gone";
      if (!expected.includes(outcome)) wrong.add(`${text}: ${outcome}`);
    }
  }
  await prober.close();
  return [...wrong];
}

function linesOf(peers: readonly Peer[]): readonly Line[] {
  const ports = [...new Set(peers.flatMap(({ listens }) => listens))].sort();
  return peers.flatMap((from) =>
    peers.filter((to) => to !== from).flatMap((to) => ports.map((port) => lineOf(from, to, port))),
  );
}

function lineOf(from: Peer, to: Peer, on: string): Line {
  const [proto, port] = on.split("/");
  return {
    text: `${from.name} -> ${to.name} ${on}`,
    listening: to.listens.includes(on),
    from: from.uid,
    to: to.ip,
    proto: proto === "udp" ? "udp" : "tcp",
    port: Number(port),
  };
}

/** Asks until nothing differs twice in a row, for a minute; gives what differed at last. */
async function pollUntil(
  matrix: () => Promise<Matrix>,
  differ: (matrix: Matrix) => readonly string[],
): Promise<readonly string[]> {
  const deadline = performance.now() + LIMIT_MS;
  for (let calm = 0; ; ) {
    const left = differ(await matrix());
    calm = left.length === 0 ? calm + 1 : 0;
    if (calm === 2 || performance.now() > deadline) return left;
  }
}

function differences(lines: readonly Line[], seen: Matrix, expected: (line: Line) => Outcome): readonly string[] {
  return lines.flatMap((line) => {
    const outcome = seen.get(line.text);
    const wanted = expected(line);
    return outcome === wanted ? [] : [`${line.text}: ${outcome}, not ${wanted}`];
  });
}

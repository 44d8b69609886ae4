import type { Clock } from "../../src/kube/clock.ts";

/** A clock that stands still until a test moves it. */
export type FakeClock = Clock & {
  /** Moves time on and runs what falls due, in its order. */
  readonly advance: (ms: number) => void;
  /**
   * Lets sockets work and moves time on in small steps until the condition holds. Gives the milliseconds that passed on
   * this clock; throws when more than `limitMs` would.
   */
  readonly until: (condition: () => boolean, limitMs: number) => Promise<number>;
  /** Lets so much time pass, with sockets at work all the while. */
  readonly pass: (ms: number) => Promise<void>;
};

const STEP_MS = 50;
const LONG_STEP_MS = 1_000;
/** Turns of the event loop between steps: enough for a TLS handshake over loopback to go on by one flight. */
const TURNS = 12;

export function makeFakeClock(epoch = Date.parse("2026-12-01T00:00:00Z")): FakeClock {
  let now = 0;
  let serial = 0;
  const timers = new Map<number, { readonly at: number; readonly run: () => void }>();
  const advance = (ms: number): void => {
    const end = now + ms;
    for (;;) {
      const due = [...timers].filter(([, timer]) => timer.at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
      if (!due) break;
      timers.delete(due[0]);
      now = Math.max(now, due[1].at);
      due[1].run();
    }
    now = end;
  };
  return {
    monotonic: () => now,
    wall: () => epoch + now,
    after: (ms, run) => {
      const id = serial++;
      timers.set(id, { at: now + ms, run });
      return () => void timers.delete(id);
    },
    advance,
    until: async (condition, limitMs) => {
      const began = now;
      while (!condition()) {
        if (now - began > limitMs) throw new Error(`the condition did not come to hold within ${limitMs} ms`);
        await turns();
        if (!condition()) advance(STEP_MS);
      }
      return now - began;
    },
    pass: async (ms) => {
      for (let left = ms; left > 0; left -= LONG_STEP_MS) {
        await turns();
        advance(Math.min(left, LONG_STEP_MS));
      }
      await turns();
    },
  };
}

/** Lets sockets and promises work, without moving any fake clock. */
export async function turns(count = TURNS): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

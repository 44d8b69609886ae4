/** Wakes a loop that waits. */
export type Bell = {
  readonly ring: () => void;
  /** Resolves after `mostMs`, or when it rings or the signal aborts, but not before `leastMs`. Times in milliseconds. */
  readonly wait: (leastMs: number, mostMs: number, signal: AbortSignal) => Promise<void>;
};

/** A bell; ringing while nobody waits ends the next wait. */
export function makeBell(): Bell {
  let rung = false;
  let wake = (): void => undefined;
  return {
    ring: () => {
      rung = true;
      wake();
    },
    wait: async (leastMs, mostMs, signal) => {
      await pause(leastMs, signal);
      if (!rung) await Promise.race([pause(mostMs, signal), new Promise<void>((resolve) => (wake = resolve))]);
      rung = false;
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    timer.unref();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

import type { Clock } from "./clock.ts";

/** Notices silence. */
export type Watchdog = { readonly heard: () => void; readonly stop: () => void };

/** Calls `bark` once when nothing was heard for `idleMs`; hearing is as cheap as reading the clock. */
export function makeWatchdog(clock: Clock, idleMs: number, bark: () => void): Watchdog {
  let last = clock.monotonic();
  let cancel = clock.after(idleMs, check);
  function check(): void {
    const left = last + idleMs - clock.monotonic();
    if (left <= 0) bark();
    else cancel = clock.after(left, check);
  }
  return {
    heard: () => {
      last = clock.monotonic();
    },
    stop: () => cancel(),
  };
}

let turn: Promise<void> | undefined;

/**
 * Resolves when all is read that this turn of the event loop brings, for everybody who waits for it one after the other: code
 * that is still in the processor's caches runs much faster than code that TLS and sockets have driven out (decision 80).
 */
export const endOfTurn = (): Promise<void> =>
  (turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve();
    });
  }));

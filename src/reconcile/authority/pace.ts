/** How fast a rotation goes. Milliseconds. */
export type Pace = {
  /** How long readers get to have a root before anything is signed below it. Kubelets take up to 5m26s and tell nobody. */
  readonly settleMs: number;
  /** The longest lifetime of a leaf. */
  readonly longestLeafMs: number;
  /** Kept on top, so that a clock that jumps by a day ends nothing early. */
  readonly marginMs: number;
  /** The part of an authority's life after which its successor is prepared. */
  readonly share: number;
  /** Over how long holders of certificates by a tainted authority are told to renew, spread evenly. */
  readonly reissueMs: number;
  /** The longest lifetime that a leaf has now: whoever renews in time has done so at half of it. */
  readonly usualLeafMs: number;
};

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** The pace where nothing else is said. */
export const PACE: Pace = {
  settleMs: 15 * MINUTE_MS,
  longestLeafMs: DAY_MS,
  marginMs: DAY_MS,
  share: 0.5,
  reissueMs: 30 * MINUTE_MS,
  usualLeafMs: DAY_MS,
};

/** By when after its taint every holder that renews in time has left a tainted authority. */
export const renewedMs = ({ usualLeafMs, reissueMs }: Pace): number => usualLeafMs / 2 + reissueMs;

/** Whole minutes, rounded up, for messages. */
export const formatMinutes = (ms: number): string => `${Math.ceil(ms / MINUTE_MS)} min`;

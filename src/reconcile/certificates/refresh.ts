import type { Instant } from "../../domain/instant.ts";

type Lifetime = { readonly notBefore: Instant; readonly notAfter: Instant };

const MINUTE_MS = 60_000;
/** The API server wants a refresh neither sooner after the beginning nor later before the end than this. */
const MARGIN_MS = 10 * MINUTE_MS;
/** Kubelet adds up to five minutes of its own and looks every minute or two. */
const EARLIEST = 0.5;
const SPREAD = 0.2;

/**
 * When kubelet should ask again: between half and seven tenths of the lifetime, wherever `share` (0 to 1) puts this one, so
 * that Pods which started together do not come back together. Whole seconds, inside the API server's margins.
 */
export function beginRefreshAt({ notBefore, notAfter }: Lifetime, share: number): Instant {
  const wish = notBefore + (notAfter - notBefore) * (EARLIEST + SPREAD * share);
  const within = Math.min(Math.max(wish, notBefore + MARGIN_MS), notAfter - MARGIN_MS);
  return Math.floor(within / 1000) * 1000;
}

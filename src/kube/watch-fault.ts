import { isRaw, type Raw, textAt } from "../wire/read-object.ts";
import { type Answer, retryAfterMs } from "./connection.ts";

/** What a failed watch asks of the next one. */
export type Demand = {
  /** The place to go on from is lost: list everything. */
  readonly relist?: boolean;
  /** The server says when to come again. */
  readonly waitMs?: number;
  /** Something was changed so that the next attempt may succeed at once: credentials, or the way of listing. */
  readonly changed?: "credentials" | "listing";
};

/** Why a watch ended before its time. */
export class WatchFault extends Error {
  readonly demand: Demand;
  constructor(reason: string, demand: Demand = {}) {
    super(reason);
    this.name = "WatchFault";
    this.demand = demand;
  }
}

/** The fault that an answer other than 200 stands for; 410 means that the server has forgotten our place. */
export function faultOf(answer: Answer): WatchFault {
  const message = isRaw(answer.body) ? textAt(answer.body, "message") : undefined;
  const reason = `the API server answered ${answer.status}: ${message ?? "it gave no reason"}`;
  if (answer.status === 410) return new WatchFault(reason, { relist: true });
  if (answer.status === 401) return new WatchFault(reason, { changed: "credentials" });
  const waitMs = retryAfterMs(answer.headers);
  return new WatchFault(reason, waitMs === undefined ? {} : { waitMs });
}

/** The fault that an ERROR event stands for: whatever it says, the place is lost. */
export function faultOfEvent(status: Raw): WatchFault {
  const reason = `the API server ended the watch: ${textAt(status, "message") ?? "it gave no reason"}`;
  return new WatchFault(reason, { relist: true });
}

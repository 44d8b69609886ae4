import type { Check } from "../../http/services.ts";
import type { LiveCatalogue } from "../../kube/catalogue.ts";

/** Ready when every collection was seen; a watch that is cut off is said, and keeps what it had. */
export function catalogueCheck(live: LiveCatalogue): Check {
  const missing = live.missing();
  const current = live.current();
  if (missing.length > 0 || !current)
    return { name: "catalogue", ok: false, detail: `not seen yet: ${missing.join(", ")}` };
  const oldest = Math.round(Math.max(...live.status().map(({ lastSyncAgeSeconds }) => lastSyncAgeSeconds)));
  const unreadable = live.unreadable();
  const warning = [
    ...(oldest > STALE_SECONDS ? [`warning: a watch was last heard ${oldest} s ago`] : []),
    ...(unreadable[0] ? [`warning: ${unreadable.length} objects cannot be read, first: ${unreadable[0].object}`] : []),
  ];
  return { name: "catalogue", ok: true, detail: [...warning, `revision ${current.revision.slice(0, 12)}`].join("; ") };
}

/** The API server sends a bookmark each minute. */
const STALE_SECONDS = 150;

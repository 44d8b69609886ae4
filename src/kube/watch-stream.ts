import { isRaw, type Raw, textAt } from "../wire/read-object.ts";
import { WatchFault } from "./watch-fault.ts";

/** One line of a watch (meta/v1 WatchEvent). */
export type WatchEvent = {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: Raw;
};

const TYPES: ReadonlySet<string> = new Set(["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"]);
/** An object has at most 1.5 MiB in etcd; JSON may be some times as much. */
const LONGEST_LINE = 32 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Reads a watch's bytes, a batch of events for each piece that ends a line. Throws where a line breaks off or is too long,
 * and where it is no event: then the place in the watch is lost, since reading it again would give the same.
 */
export async function* readEvents(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly WatchEvent[], void> {
  let rest: Buffer[] = [];
  let held = 0;
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end === -1) {
      rest.push(chunk);
      held += chunk.length;
      if (held > LONGEST_LINE) throw new Error(`a watch event has more than ${LONGEST_LINE} bytes`);
      continue;
    }
    const lines = Buffer.concat([...rest, chunk.subarray(0, end)]).toString("utf8");
    const tail = chunk.subarray(end + 1);
    rest = tail.length === 0 ? [] : [tail];
    held = tail.length;
    yield lines.split("\n").flatMap(readEvent);
  }
  if (held > 0) throw new Error("a watch broke off in the middle of an event");
}

function readEvent(line: string): readonly WatchEvent[] {
  if (line.trim() === "") return [];
  const event = parse(line);
  const type = isRaw(event) ? textAt(event, "type") : undefined;
  if (!isRaw(event) || type === undefined || !TYPES.has(type) || !isRaw(event["object"]))
    throw new WatchFault("a line of a watch is no event", { relist: true });
  return [{ type: type as WatchEvent["type"], object: event["object"] }];
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

import { type DestinationStream, destination, type Level, pino, stdTimeFunctions } from "pino";
import type { Log } from "../http/services.ts";

/** Least level, and how lines look: JSON, or words for a terminal. */
export type LogSettings = { readonly level: Level; readonly text: boolean };

/** Most lines a second of one warning; callers decide how often there is something to warn of. */
const WARNINGS_PER_SECOND = 10;

/** The log, on standard error: a fixed sentence and fields. */
export function makeLog({ level, text }: LogSettings, now: () => number): Log {
  const lines = destination({ fd: 2, sync: true });
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    text ? inWords(lines) : lines,
  );
  return {
    debug: (fields, sentence) => logger.debug(fields, sentence),
    info: (fields, sentence) => logger.info(fields, sentence),
    warn: slowed((fields, sentence) => logger.warn(fields, sentence), now),
    error: (fields, sentence) => logger.error(fields, sentence),
  };
}

type Say = Log["warn"];

/** At most so many of one sentence a second; the next one that is said tells how many were not. */
function slowed(say: Say, now: () => number): Say {
  const said = new Map<string, { second: number; count: number; silent: number }>();
  return (fields, sentence) => {
    const second = Math.floor(now() / 1000);
    const seen = said.get(sentence) ?? { second, count: 0, silent: 0 };
    said.set(sentence, seen);
    if (seen.second !== second) Object.assign(seen, { second, count: 0 });
    seen.count += 1;
    if (seen.count > WARNINGS_PER_SECOND) seen.silent += 1;
    else {
      say(seen.silent > 0 ? { ...fields, unsaid: seen.silent } : fields, sentence);
      seen.silent = 0;
    }
  };
}

/** Lines for a terminal: time, level, sentence, then the fields as they are. */
function inWords(lines: DestinationStream): DestinationStream {
  return {
    write: (line) => {
      const { level, time, msg, ...fields } = JSON.parse(line) as Readonly<Record<string, unknown>>;
      const told = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`);
      lines.write(`${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${[String(msg), ...told].join("  ")}\n`);
    },
  };
}

const plain = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

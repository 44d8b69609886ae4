import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { problem } from "../../domain/problem.ts";
import { WATCH_PATH } from "../../wire/openid.ts";
import { PROBLEM_TYPE, renderProblems } from "../problem-json.ts";

/** Documents that can be watched, by the name of their event: where each is, and a name for what it holds now. */
export type Watched = Readonly<Record<string, { readonly path: string; readonly tag: () => string | undefined }>>;

const EVERY_MS = 1_000;
/** Proxies close what is silent for a minute. */
const BREATH_MS = 15_000;
/** A subscriber that does not read is dropped; it comes again. */
const MOST_UNREAD = 16 * 1024;

/**
 * Server-sent events (HTML §9.2): the state of every document at once, then each change within seconds. An event names the
 * document and not what is in it, so that nobody's slowness costs memory.
 */
export function addWatch(app: FastifyInstance, watched: Watched, most: number, draining: () => boolean): void {
  const subscribers = new Map<ServerResponse, Map<string, string>>();
  let timer: NodeJS.Timeout | undefined;
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    const breath = turns % (BREATH_MS / EVERY_MS) === 0 ? ":\n\n" : "";
    for (const [response, told] of subscribers) {
      if (draining() || response.writableLength > MOST_UNREAD) response.destroy();
      else write(response, `${news(watched, told)}${breath}`);
    }
  };
  const end = (response: ServerResponse): void => {
    subscribers.delete(response);
    if (subscribers.size === 0) clearInterval(timer);
  };
  app.get(WATCH_PATH, (_request, reply) => {
    if (subscribers.size >= most) return reply.code(503).header("Retry-After", "60").type(PROBLEM_TYPE).send(FULL);
    const told = new Map<string, string>();
    reply.hijack();
    reply.raw.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    write(reply.raw, `retry: 5000\n\n${news(watched, told)}`);
    reply.raw.on("close", () => end(reply.raw));
    if (subscribers.size === 0) timer = setInterval(turn, EVERY_MS);
    subscribers.set(reply.raw, told);
    return reply;
  });
}

const FULL = renderProblems([
  problem("NOT_READY", "", "There is no place for another subscriber.", "Read the documents every minute instead."),
]).body;

function write(response: ServerResponse, text: string): void {
  if (text !== "") response.write(text);
}

/** An event for each document that is not as it was last told. */
function news(watched: Watched, told: Map<string, string>): string {
  return Object.entries(watched)
    .map(([event, { path, tag }]) => {
      const now = tag();
      if (now === undefined || told.get(event) === now) return "";
      told.set(event, now);
      return `event: ${event}\nid: ${now}\ndata: ${JSON.stringify({ path, tag: now })}\n\n`;
    })
    .join("");
}

import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { problem } from "../../domain/problem.ts";
import { WATCH_PATH } from "../../wire/openid.ts";
import { PROBLEM_TYPE, renderProblems } from "../problem-json.ts";
import type { Shares } from "./services.ts";

/** Documents that can be watched, by the name of their event: where each is, and a name for what it holds now. */
export type Watched = Readonly<Record<string, { readonly path: string; readonly tag: () => string | undefined }>>;

const EVERY_MS = 1_000;
/** Proxies close what is silent for a minute. */
const BREATH_MS = 15_000;
/** A subscriber that does not read is dropped; it comes again. */
const MOST_UNREAD = 16 * 1024;

type Places = Pick<Shares, "subscribers" | "subscribersOfOne">;

/** A name for what each document holds now. */
type Tags = ReadonlyMap<string, string | undefined>;

/** Who listens: from where, and which tags it was told. */
type Subscriber = { readonly address: string; readonly told: Map<string, string> };

/**
 * Server-sent events (HTML §9.2): the state of every document at once, then each change within seconds. An event names the
 * document and not what is in it, so that nobody's slowness costs memory; and whoever subscribes hears what was found out in
 * the turn before, so that many cost no more than one.
 */
export function addWatch(app: FastifyInstance, watched: Watched, places: Places, draining: () => boolean): void {
  const subscribers = new Map<ServerResponse, Subscriber>();
  let timer: NodeJS.Timeout | undefined;
  let turns = 0;
  let tags: Tags = new Map();
  const turn = (): void => {
    turns += 1;
    tags = tagsOf(watched);
    const breath = turns % (BREATH_MS / EVERY_MS) === 0 ? ":\n\n" : "";
    for (const [response, { told }] of subscribers) {
      if (draining() || response.writableLength > MOST_UNREAD) response.destroy();
      else write(response, `${news(watched, tags, told)}${breath}`);
    }
  };
  const end = (response: ServerResponse): void => {
    subscribers.delete(response);
    if (subscribers.size === 0) clearInterval(timer);
  };
  app.get(WATCH_PATH, ({ raw }, reply) => {
    const address = raw.socket.remoteAddress ?? "";
    const full = fullness([...subscribers.values()], address, places);
    if (full) return reply.code(full.status).header("Retry-After", "60").type(PROBLEM_TYPE).send(full.body);
    if (subscribers.size === 0) {
      tags = tagsOf(watched);
      timer = setInterval(turn, EVERY_MS);
    }
    const told = new Map<string, string>();
    subscribers.set(reply.raw, { address, told });
    reply.hijack();
    reply.raw.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    write(reply.raw, `retry: 5000\n\n${news(watched, tags, told)}`);
    reply.raw.on("close", () => end(reply.raw));
    return reply;
  });
}

/** Why there is no place for one more from an address. */
function fullness(
  subscribers: readonly Subscriber[],
  address: string,
  { subscribers: most, subscribersOfOne }: Places,
) {
  if (subscribers.length >= most) return FULL;
  return subscribers.filter((each) => each.address === address).length >= subscribersOfOne ? FULL_FOR_ONE : undefined;
}

const INSTEAD = "Read the documents every minute instead.";
const FULL = renderProblems([problem("NOT_READY", "", "There is no place for another subscriber.", INSTEAD)]);
const FULL_FOR_ONE = renderProblems([
  problem("RATE_LIMITED", "", "There is no place for another subscriber of this address.", INSTEAD),
]);

function write(response: ServerResponse, text: string): void {
  if (text !== "") response.write(text);
}

const tagsOf = (watched: Watched): Tags => new Map(Object.entries(watched).map(([event, { tag }]) => [event, tag()]));

/** An event for each document that is not as it was last told. */
function news(watched: Watched, tags: Tags, told: Map<string, string>): string {
  return Object.entries(watched)
    .map(([event, { path }]) => {
      const now = tags.get(event);
      if (now === undefined || told.get(event) === now) return "";
      told.set(event, now);
      return `event: ${event}\nid: ${now}\ndata: ${JSON.stringify({ path, tag: now })}\n\n`;
    })
    .join("");
}

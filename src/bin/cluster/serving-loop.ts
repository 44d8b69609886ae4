import { formatInstant } from "../../domain/instant.ts";
import { reasonOf } from "../../kube/log.ts";
import { probeSelf } from "../../http/self-probe.ts";
import type { HttpServer } from "../../http/server.ts";
import type { Check, Log } from "../../http/services.ts";
import { type KeeperMeans, keepCertificate, type SharedCertificate } from "./serving-keeper.ts";

/** A replica's certificate over time, and whether the server was seen to answer with it. */
export type ServingLoop = {
  readonly current: () => SharedCertificate;
  readonly checks: () => readonly Check[];
  readonly stop: () => void;
};

/** What the loop keeps in order. */
export type LoopMeans = KeeperMeans & {
  readonly first: SharedCertificate;
  readonly http: Pick<HttpServer, "renew">;
  readonly host: string;
  readonly port: number;
  readonly log: Log;
  readonly headers?: Readonly<Record<string, string>>;
};

/** How often the Secret is read: a switch to another authority waits for nobody, so this need not be short. */
const LOOK_MS = 5_000;
/** How often the server calls itself: soon while it has not answered yet, seldom once it has. */
const PROBE_MS = { unproven: 200, proven: 15_000 } as const;

/** Keeps the certificate fresh, and calls the server over TLS until, and each time after, it was changed. */
export function runServing(means: LoopMeans): ServingLoop {
  const { http, log, now } = means;
  const state = { current: means.first, failed: "not called yet", probedAt: 0, lookedAt: now(), stopped: false };
  const look = async (): Promise<void> => {
    const next = await keepCertificate(means, state.current);
    if (next.certificate !== state.current.certificate) {
      http.renew(next);
      const notAfter = formatInstant(next.notAfter);
      log.info({ notAfter, signer: next.signer }, "The serving certificate was renewed.");
      state.probedAt = 0;
    }
    state.current = next;
  };
  const probe = async (): Promise<void> => {
    const { host, port, headers } = means;
    const failed = await probeSelf({ host, port, authority: state.current.authority, ...(headers ? { headers } : {}) });
    if (failed === undefined && state.failed !== "")
      log.info({ port }, "The server has called itself and was answered.");
    state.failed = failed ?? "";
    state.probedAt = now();
  };
  const round = async (): Promise<void> => {
    if (now() - state.lookedAt >= LOOK_MS) {
      state.lookedAt = now();
      await look().catch((fault: unknown) =>
        log.warn({ reason: reasonOf(fault) }, "The authority of serving certificates could not be read."),
      );
    }
    const wait = state.failed === "" ? PROBE_MS.proven : PROBE_MS.unproven;
    if (now() - state.probedAt >= wait) await probe();
  };
  void repeat(round, () => state.stopped);
  return {
    current: () => state.current,
    checks: () => [certificateCheck(state.current, now()), probeCheck(state.failed)],
    stop: () => {
      state.stopped = true;
    },
  };
}

const TICK_MS = 100;

async function repeat(round: () => Promise<void>, stopped: () => boolean): Promise<void> {
  while (!stopped()) {
    await round();
    await new Promise<void>((resolve) => setTimeout(resolve, TICK_MS).unref());
  }
}

const certificateCheck = ({ notAfter, signer }: SharedCertificate, now: number): Check => ({
  name: "certificate",
  ok: now < notAfter,
  detail: `until ${new Date(notAfter).toISOString()}, by ${signer}`,
});

const probeCheck = (failed: string): Check => ({ name: "self-probe", ok: failed === "", detail: failed });

import { setTimeout as pause } from "node:timers/promises";
import type { OwnSvid } from "../../ca/own-svid.ts";
import { certificatesPem } from "../../ca/pem.ts";
import { formatInstant } from "../../domain/instant.ts";
import { problemLine, type Result } from "../../domain/problem.ts";
import { buildBundleEndpoint, type BundleEndpoint } from "../../http/bundle-endpoint.ts";
import type { HttpServer } from "../../http/server.ts";
import type { Running } from "../server-parts.ts";

/** What Signet shows of itself, and makes it anew by. */
export type OwnIdentity = {
  /** The active authority; undefined while there is none. */
  readonly authority: () => string | undefined;
  readonly issue: () => Promise<Result<OwnSvid>>;
  readonly bundle: () => string | undefined;
};

type Beside = {
  readonly config: Pick<Running["config"], "bundleEndpoint">;
  readonly log: Running["log"];
  readonly own: OwnIdentity;
  readonly now: () => number;
  /** Milliseconds of a clock that never jumps. */
  readonly monotonic: () => number;
};

/** How often it is looked whether another authority signs, or half of the certificate's time is over. */
const LOOK_MS = 2_000;

/**
 * The face with the bundle endpoint for other trust domains beside it, where that is configured: the two listen and drain as
 * one. Its certificate follows the active authority: another one signs only when its root has long been in the bundle.
 */
export function besideBundleEndpoint(http: HttpServer, { config, log, own, now, monotonic }: Beside): HttpServer {
  const { bundleEndpoint } = config;
  if (!bundleEndpoint) return http;
  const endpoint = buildBundleEndpoint(own.bundle, monotonic);
  const keeping = keepCertificate(endpoint, { log, own, now });
  return {
    ...http,
    listen: async (host, port) => {
      const bound = await endpoint.listen(bundleEndpoint.host, bundleEndpoint.port);
      log.info({ host: bundleEndpoint.host, port: bound }, "The bundle endpoint listens.");
      keeping.start();
      return http.listen(host, port);
    },
    drain: async (delayMs, graceMs) => {
      const stopped = pause(delayMs).then(() => endpoint.stop(graceMs));
      await Promise.all([http.drain(delayMs, graceMs), stopped]);
      keeping.stop();
    },
  };
}

function keepCertificate(
  endpoint: Pick<BundleEndpoint, "renew">,
  { log, own, now }: Omit<Beside, "config" | "monotonic">,
) {
  let current: OwnSvid | undefined;
  let told = "";
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const failed = (reason: string): void => {
    if (reason !== told) log.warn({ reason }, "The bundle endpoint has no new certificate; the last one stays.");
    told = reason;
  };
  const look = async (): Promise<void> => {
    const authority = own.authority();
    if (authority === undefined || (current?.authority === authority && now() < halfOf(current))) return;
    const made = await own.issue();
    if (!made.ok) return failed(made.problems.map(problemLine).join("; "));
    current = made.value;
    told = "";
    endpoint.renew(pairOf(current));
    const { spiffeId, window } = current;
    log.info({ spiffeId, notAfter: formatInstant(window.notAfter) }, "The bundle endpoint has a certificate.");
  };
  const again = (): void => {
    if (stopped) return;
    timer = setTimeout(() => void round(), LOOK_MS);
    timer.unref();
  };
  const round = (): Promise<void> =>
    look()
      .catch((fault: unknown) => failed(fault instanceof Error ? fault.message : String(fault)))
      .then(again);
  return {
    start: () => void round(),
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

const halfOf = ({ window }: OwnSvid): number => (window.notBefore + window.notAfter) / 2;

const pairOf = ({ chain, key }: OwnSvid) => ({
  certificate: certificatesPem(chain),
  key: key.export({ type: "pkcs8", format: "pem" }).toString(),
});

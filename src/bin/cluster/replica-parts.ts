import type { Profiles } from "../../domain/certificate.ts";
import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import type { Instant } from "../../domain/instant.ts";
import { makeKubeClient } from "../../kube/client.ts";
import { systemClock } from "../../kube/clock.ts";
import type { Connection } from "../../kube/connection.ts";
import type { ClusterConfig } from "../../wire/cluster-config.ts";
import { NAME, SERVICE_HOST } from "../../wire/manifests/names.ts";
import { rememberedCertificates } from "../issuing/remembered.ts";
import { type Running, SELF, servingNames } from "../server-parts.ts";
import { type ClusterIssuing, type ClusterIssuingMeans, makeClusterIssuing } from "./issuing/issuing.ts";
import type { GrantFolder } from "../grant-folder.ts";
import type { SharedCertificate } from "./serving-keeper.ts";
import type { ServingStore } from "./serving-store.ts";

/** What a replica has before it has a certificate. */
export type Base = Pick<Running, "config" | "log" | "ledger"> & {
  readonly cluster: ClusterConfig;
  readonly connection: Connection;
  /** Absent where no signed grants are configured. */
  readonly grants?: GrantFolder;
  /** The API server's time. */
  readonly now: () => Instant;
};

/** What a replica is assembled of. */
export type Parts = Base & {
  readonly store: ServingStore;
  readonly first: SharedCertificate;
  readonly profiles: Profiles;
};

/** Names that callers may know a replica by: its Service's, loopback, and what is configured. */
export const keeperOf = ({ config, cluster }: Base, store: ServingStore) => ({
  store,
  names: [
    ...new Set([SERVICE_HOST, `${SERVICE_HOST}.cluster.local`, `${NAME}.${SIGNET_NAMESPACE}`, ...servingNames(config)]),
  ],
  ...cluster,
  now: Date.now,
});

/** What watches and elections take. */
export const meansOf = (connection: Connection, log: Base["log"]) => ({
  connection,
  clock: systemClock,
  random: Math.random,
  log,
});

/** What the loop that renews the serving certificate, and calls the server by it, needs of the rest. */
export const servingOf = (parts: Parts, port: number) => ({
  ...keeperOf(parts, parts.store),
  first: parts.first,
  host: ["0.0.0.0", "::"].includes(parts.config.host) ? "127.0.0.1" : parts.config.host,
  port,
  log: parts.log,
  headers: { [SELF.header]: SELF.value },
});

/** Issuing in this replica. */
export function issuingOf(
  { config, log, ledger, connection, profiles, now }: Parts,
  more: Pick<ClusterIssuingMeans, "live" | "first" | "events">,
): ClusterIssuing {
  return makeClusterIssuing({
    ...meansOf(connection, log),
    ...more,
    client: makeKubeClient(connection),
    ledger,
    profiles,
    issuer: config.issuer,
    authorities: config.authorities,
    now,
    nodeProxies: config.grpc?.nodeProxies ?? [],
    issued: rememberedCertificates(config.state, profiles, now()),
  });
}

import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { SIGNET_NAMESPACE } from "../../../domain/exempt-namespaces.ts";
import { IssuingFigures } from "../../../http/issuing/figures.ts";
import type { Issuing } from "../../../http/issuing/services.ts";
import { podOfToken } from "../../../kube/bound-token.ts";
import type { LiveCatalogue } from "../../../kube/catalogue.ts";
import type { KubeClient } from "../../../kube/client.ts";
import { sleep } from "../../../kube/clock.ts";
import { reasonOf } from "../../../kube/log.ts";
import type { Term } from "../../../kube/lease.ts";
import { askMap } from "../../../kube/ask-map.ts";
import { readSecretText, writeSecretText } from "../../../kube/secret-text.ts";
import type { WatchMeans } from "../../../kube/watch.ts";
import type { Profiles } from "../../../domain/certificate.ts";
import type { Instant } from "../../../domain/instant.ts";
import { ok, refuse } from "../../../domain/problem.ts";
import { TOKEN_AUDIENCE } from "../../../domain/token-audience.ts";
import type { IssuedCertificates } from "../../../ca/issued-certificates.ts";
import type { Vault } from "../../../ca/vault.ts";
import type { Ledger } from "../../../store/ledger.ts";
import type { AuthoritiesConfig } from "../../../wire/authorities-config.ts";
import { ASKS, SECRETS } from "../../../wire/manifests/names.ts";
import type { CallerParts } from "../../issuing/callers.ts";
import { type RunningAuthorities, runAuthorities } from "../../authorities/run-authorities.ts";
import { type Keys, makeTokenKeys, type TokenKeys } from "../../issuing/keys.ts";
import { keyStoreOf } from "../../authorities/key-store.ts";
import { paceOf } from "../../authorities/pace-of.ts";
import { runLists } from "../../issuing/run-lists.ts";
import type { OwnIdentity } from "../../issuing/open-bundle-endpoint.ts";
import { endsOf, openIssuing } from "../../issuing/open-issuing.ts";
import { knownPod, presentExternals, presentPod } from "../../issuing/present.ts";
import { DOOR } from "../signer/answer.ts";
import { AccountPods } from "../signer/account-pods.ts";
import { publishBundle } from "./publish-bundle.ts";
import { publishStatus } from "./publish-status.ts";
import { type SignerSwitch, type SwitchMeans, switchSigner } from "./signer-switch.ts";

/** What issuing in a cluster stands on. */
export type ClusterIssuingMeans = WatchMeans & {
  readonly client: KubeClient;
  readonly live: () => LiveCatalogue;
  readonly ledger: Pick<Ledger, "append">;
  readonly profiles: Profiles;
  readonly issuer: string | undefined;
  readonly authorities: AuthoritiesConfig;
  /** The API server's time. */
  readonly now: () => Instant;
  readonly nodeProxies: readonly string[];
  /** What this replica has issued. */
  readonly issued: IssuedCertificates;
  /** Whether this replica answers kubelets at once. */
  readonly first: () => boolean;
  readonly events: SwitchMeans["events"];
};

/** Issuing in a replica. */
export type ClusterIssuing = {
  readonly http: Issuing;
  readonly own: OwnIdentity;
  readonly figures: IssuingFigures;
  readonly signer: SignerSwitch;
  readonly start: () => void;
  readonly stop: () => Promise<void>;
  /** Makes and turns keys, and publishes the bundle: a duty of the one replica that writes. */
  readonly advance: (term: Term) => Promise<void>;
  /** The catalogue has changed. */
  readonly hurry: () => void;
};

/** How often a replica looks whether another wrote the shared keys. */
const REFRESH_MS = 5_000;
/** How often the replica that writes looks for what people ask of the authorities. */
const ASKS_EVERY_MS = 2_000;

const monotonic = (): number => performance.now();

/** Puts it together; nothing runs before `start`. */
export function makeClusterIssuing(means: ClusterIssuingMeans): ClusterIssuing {
  const { client, live } = means;
  const tokens = makeTokenKeys(secretVault(client, SECRETS.tokens), { now: means.now, monotonic });
  const published = { sequence: 0 };
  const authorities = authoritiesOf(means, tokens, () => (signer.on() ? published.sequence : undefined));
  const keys: Keys = { authorities: authorities.current, tokens: tokens.current };
  const pods = new AccountPods(means);
  const readings = { ends: () => endsOf(keys), stage: () => authorities.status()?.rotation.stage };
  const figures: IssuingFigures = new IssuingFigures(() => signer.pending(), readings);
  const catalogue = () => live().current();
  const vault = secretVault(client, SECRETS.revocations);
  const lists = runLists({ ...means, vault, keys, catalogue, everyMs: REFRESH_MS });
  const open = openIssuing({ ...means, ...callersOf(means, pods), keys, figures, catalogue, lists });
  const signer: SignerSwitch = switchSigner({ ...means, pods, walk: open.walk, told: teller(figures) });
  const ended = new AbortController();
  return {
    http: open.http,
    own: open.own,
    figures,
    signer,
    start: () => {
      pods.start();
      signer.start();
      void authorities.look();
      void follow(tokens, means, ended.signal);
    },
    stop: async () => {
      ended.abort();
      lists.stop();
      await Promise.all([signer.stop(), pods.stop(), authorities.stop()]);
    },
    advance: async (term) => {
      if (live().current()?.definitions.trustDomain === undefined || !term.valid()) return;
      if (!keys.authorities()?.issuer) await authorities.look();
      await tokens.advance();
      if (term.valid()) await publish(means, { authorities, signer, published, rootsPem: open.rootsPem });
    },
    hurry: signer.hurry,
  };
}

type Publishing = {
  readonly authorities: Pick<RunningAuthorities, "current" | "status">;
  readonly signer: Pick<SignerSwitch, "on">;
  readonly published: { sequence: number };
  readonly rootsPem: () => string | undefined;
};

/** Our roots for kubelets, and where the authorities stand for people. What is counted as published was written before. */
async function publish(means: ClusterIssuingMeans, { authorities, signer, published, rootsPem }: Publishing) {
  const current = authorities.current();
  if (!current) return;
  if (signer.on()) {
    await publishBundle(means.client, rootsPem());
    published.sequence = current.bundle.sequence;
  }
  await publishStatus(means, authorities.status(), current);
}

/** Issues and refusals are counted where they are recorded; here what waits, and how long kubelets waited. */
const teller =
  (figures: IssuingFigures): SwitchMeans["told"] =>
  (outcome, reason, ageMs) => {
    if (outcome === "issued") figures.times.observe(ageMs / 1000);
    if (outcome === "pending") figures.answers.add(`${DOOR} svid pending ${reason}`);
  };

/** Who callers are: Pods that run, machines and functions of the catalogue, and the Pod that a token is bound to. */
const callersOf = (
  { client, live }: ClusterIssuingMeans,
  pods: AccountPods,
): Pick<CallerParts, "holders" | "podsIn" | "byToken"> => ({
  holders: (namespace, account) => {
    const catalogue = live().current();
    return [
      ...pods.of(namespace, account).flatMap((facts) => presentPod(facts) ?? []),
      ...(catalogue ? presentExternals(catalogue, namespace, account) : []),
    ];
  },
  podsIn: (namespace) => pods.in(namespace).map(knownPod),
  byToken: async (token) => {
    const facts = await podOfToken(client, token, TOKEN_AUDIENCE);
    if (!facts.ok) return facts;
    const present = presentPod(facts.value);
    return present ? ok(present) : refuse("TOKEN_REFUSED", "", "The Pod has ended.");
  },
});

async function follow(tokens: TokenKeys, { log, clock }: ClusterIssuingMeans, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await tokens.refresh().catch((fault: unknown) => {
      log.warn({ reason: reasonOf(fault) }, "The keys for tokens could not be read; the last ones stay.");
    });
    await sleep(clock, REFRESH_MS, signal);
  }
}

const secretVault = (client: KubeClient, name: string): Vault => {
  const object = { namespace: SIGNET_NAMESPACE, name };
  return {
    read: () => readSecretText(client, object),
    write: (text, version) => writeSecretText(client, object, text, version),
  };
};

/**
 * Authorities that all replicas share in a Secret; the one that writes makes the steps of their rotation. `published` is the
 * sequence number of the bundle that kubelets can have, undefined where none is published for them.
 */
function authoritiesOf(
  means: ClusterIssuingMeans,
  tokens: TokenKeys,
  published: () => number | undefined,
): RunningAuthorities {
  const { client, live, ledger, profiles, log, first } = means;
  const trustDomain = () => live().current()?.definitions.trustDomain;
  const running: RunningAuthorities = runAuthorities({
    vault: secretVault(client, SECRETS.authorities),
    keys: keyStoreOf(means.authorities, log),
    profiles,
    pace: () => paceOf(means.authorities, profiles, trustDomain()),
    ownRoots: means.authorities.ownRoots,
    served: () => published() ?? running.current()?.bundle.sequence ?? 0,
    now: means.now,
    monotonic,
    random: randomBytes,
    lacking: () => [],
    trustDomain: () => trustDomain()?.domain,
    isWriter: first,
    asks: askMap(client, { namespace: SIGNET_NAMESPACE, name: ASKS }),
    tokens,
    record: (entry) => ledger.append([entry]),
    log,
    everyMs: REFRESH_MS,
    asksEveryMs: ASKS_EVERY_MS,
  });
  return running;
}

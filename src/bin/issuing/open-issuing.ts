import { randomBytes, randomUUID } from "node:crypto";
import { X509Certificate } from "node:crypto";
import type { IssueParts } from "../../ca/issue.ts";
import { issueOwnSvid } from "../../ca/own-svid.ts";
import type { IssuedCertificates } from "../../ca/issued-certificates.ts";
import { type Bundle, bundlePem } from "../../ca/bundle.ts";
import { stocked } from "../../ca/random-stock.ts";
import type { TokenParts } from "../../ca/tokens/issue-token.ts";
import { publicTokenKeys, signingKeyAt, tokenKeySequence, type TokenKeySet } from "../../ca/tokens/key-set.ts";
import type { Catalogue } from "../../domain/catalogue.ts";
import type { Instant } from "../../domain/instant.ts";
import type { Profiles, Window } from "../../domain/certificate.ts";
import type { End, IssuingFigures } from "../../http/issuing/figures.ts";
import type { Issuing, PublicDocuments } from "../../http/issuing/services.ts";
import type { Log } from "../../http/services.ts";
import type { Ledger } from "../../store/ledger.ts";
import { type IssuanceRecord, renderIssuanceRecord } from "../../wire/issuance-record.ts";
import { renderDiscovery } from "../../wire/openid.ts";
import { renderTokenRecord, type TokenRecord } from "../../wire/token-record.ts";
import { type PublicJwk, renderKeySet, renderTrustBundle } from "../../wire/trust-bundle.ts";
import type { RunningLists } from "./run-lists.ts";
import { type CallerParts, makeAuthenticate } from "./callers.ts";
import type { Keys } from "./keys.ts";
import { verifyInThread } from "./verifying-thread.ts";
import type { OwnIdentity } from "./open-bundle-endpoint.ts";

/** What issuing stands on, whatever the mode. */
export type IssuingMeans = {
  readonly keys: Keys;
  readonly profiles: Profiles;
  readonly ledger: Pick<Ledger, "append">;
  readonly catalogue: () => Catalogue | undefined;
  /** URL under which verifiers read discovery document and keys; absent: tokens name no issuer. */
  readonly issuer: string | undefined;
  readonly nodeProxies: readonly string[];
  readonly holders: CallerParts["holders"];
  readonly podsIn: CallerParts["podsIn"];
  readonly byToken: CallerParts["byToken"];
  readonly figures: IssuingFigures;
  readonly now: () => Instant;
  /** Gets what is issued; what was issued before this start is in it. */
  readonly issued: IssuedCertificates;
  readonly lists: RunningLists;
  readonly log: Pick<Log, "error">;
};

/** The certificate's walk for doors of our own, the doors over HTTP, and the roots as kubelets get them. */
export type OpenIssuing = {
  readonly walk: IssueParts;
  readonly http: Issuing;
  readonly own: OwnIdentity;
  readonly rootsPem: () => string | undefined;
};

/** How long a verifier may keep our bundle, in seconds. */
const REFRESH_SECONDS = 300;

/** Puts the parts together; opens nothing. */
export function openIssuing(means: IssuingMeans): OpenIssuing {
  const { keys, ledger } = means;
  const walk: IssueParts = {
    lookup: () => ({ catalogue: known(means), issuer: keys.authorities()?.issuer, profiles: means.profiles }),
    record: async (line: IssuanceRecord) => {
      await ledger.append([{ kind: "issuance", subject: line.subject, at: line.at, body: renderIssuanceRecord(line) }]);
      if (line.outcome === "issued") means.issued.add(line, line.at);
      count(means, "svid", line);
      if (line.outcome === "issued") means.figures.issued(line.authority, line.notAfter);
    },
    now: means.now,
    random: stocked(randomBytes),
    verify: verifyInThread((reason) => means.log.error({ reason }, LOST)),
  };
  const authenticate = makeAuthenticate({
    nodeProxies: means.nodeProxies,
    walk,
    tokens: tokenParts(means),
    anchors: () => keys.authorities()?.anchors,
    chains: () => keys.authorities()?.chains ?? [],
    holders: means.holders,
    podsIn: means.podsIn,
    issuedTo: (serial) => means.issued.whereabouts(serial),
    byToken: means.byToken,
  });
  const published = documents(means);
  return {
    walk,
    http: { authenticate, documents: published, monotonic: performance.now.bind(performance) },
    own: {
      authority: () => keys.authorities()?.issuer?.facts.keyId,
      issue: () => issueOwnSvid(walk),
      bundle: published.bundle,
    },
    rootsPem: () => {
      const bundle = keys.authorities()?.bundle;
      return bundle && bundle.roots.length > 0 ? bundlePem(bundle) : undefined;
    },
  };
}

const LOST = "The thread that verifies signatures has ended; other threads do it from now on, and more slowly.";

type Counted = Pick<IssuanceRecord, "door" | "outcome"> & { readonly code?: string };

const count = ({ figures }: IssuingMeans, what: "svid" | "token", { door, outcome, code }: Counted): void =>
  figures.answers.add(`${door} ${what} ${outcome} ${code ?? "none"}`);

/** When anchors and authorities end that count still, by the keys as this process last read them. */
export function endsOf(keys: Keys): readonly End[] {
  const { bundle, set } = keys.authorities() ?? {};
  const end = (what: End["what"], id: string, { notAfter }: Window): End => ({
    what,
    id: id.slice(0, 16),
    at: notAfter,
  });
  const counting = (set?.authorities ?? []).filter(({ state }) => state !== "revoked");
  return [
    ...(bundle?.roots ?? []).map(({ keyId, window }) => end("root", keyId, window)),
    ...counting.map(({ id, window }) => end("issuing", id, window)),
  ];
}

/** Doors open when there is a catalogue; before, nobody is entitled to anything, and callers are told to come again. */
function known({ catalogue }: Pick<IssuingMeans, "catalogue">): Catalogue {
  const found = catalogue();
  if (!found) throw new Error("no catalogue could be read yet");
  return found;
}

const tokenParts = (means: IssuingMeans): TokenParts => ({
  catalogue: () => known(means),
  key: () => signingKeyAt(means.keys.tokens(), means.now()),
  issuer: means.issuer,
  record: async (line: TokenRecord) => {
    await means.ledger.append([{ kind: "token", subject: line.subject, at: line.at, body: renderTokenRecord(line) }]);
    count(means, "token", line);
  },
  now: means.now,
  newId: randomUUID,
});

function documents({ keys, issuer, lists }: IssuingMeans): PublicDocuments {
  const [bundleText, keysText] = [renderedOnce(renderBundle), renderedOnce(renderKeys)];
  return {
    bundle: () => {
      const [bundle, tokens] = [keys.authorities()?.bundle, keys.tokens()];
      // Whole or not at all: what is missing in a bundle is believed no more.
      if (!bundle || bundle.roots.length === 0 || tokens.length === 0) return undefined;
      return bundleText(tokens, bundle);
    },
    keys: () => {
      const tokens = keys.tokens();
      return tokens.length === 0 ? undefined : keysText(tokens);
    },
    lists: () => lists.current(),
    discovery: () => (issuer === undefined ? undefined : renderDiscovery(issuer)),
  };
}

const renderBundle = (tokens: TokenKeySet, bundle: Bundle): string =>
  renderTrustBundle({
    x509: bundle.roots.map(({ der }) => ({ key: publicJwkOf(der), certificate: der.toString("base64") })),
    jwt: publicTokenKeys(tokens),
    sequence: bundle.sequence + tokenKeySequence(tokens),
    refreshHint: REFRESH_SECONDS,
  });

const renderKeys = (tokens: TokenKeySet): string => renderKeySet(publicTokenKeys(tokens));

/** The same text again while it is of the very same values: everybody may ask, and parsing them costs more than answering. */
function renderedOnce<From extends readonly unknown[]>(render: (...from: From) => string): (...from: From) => string {
  let last: { readonly from: From; readonly text: string } | undefined;
  return (...from) => {
    if (!last || last.from.some((each, index) => each !== from[index])) last = { from, text: render(...from) };
    return last.text;
  };
}

function publicJwkOf(der: Buffer): PublicJwk {
  const { kty = "", ...jwk } = new X509Certificate(der).publicKey.export({ format: "jwk" });
  return { kty, ...Object.fromEntries(Object.entries(jwk).filter(([, value]) => typeof value === "string")) };
}

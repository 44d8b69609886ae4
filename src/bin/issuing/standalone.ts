import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { redeem } from "../../ca/invitations.ts";
import { sealedFile } from "../../ca/keys/sealed-file.ts";
import type { Catalogue } from "../../domain/catalogue.ts";
import type { Profiles } from "../../domain/certificate.ts";
import { ok, refuse, type Result } from "../../domain/problem.ts";
import { IssuingFigures } from "../../http/issuing/figures.ts";
import type { Issuing } from "../../http/issuing/services.ts";
import type { Log } from "../../http/services.ts";
import type { Ledger } from "../../store/ledger.ts";
import type { ServerConfig } from "../../wire/config.ts";
import type { RunningAuthorities } from "../authorities/run-authorities.ts";
import { standaloneSealing } from "../authorities/standalone.ts";
import { type Keys, makeTokenKeys, type TokenKeys } from "./keys.ts";
import type { OwnIdentity } from "./open-bundle-endpoint.ts";
import { endsOf, openIssuing } from "./open-issuing.ts";
import { rememberedCertificates } from "./remembered.ts";
import { runLists } from "./run-lists.ts";
import { type Present, presentExternal, presentExternals } from "./present.ts";

/** Folder of invitations in the state folder. */
export const invitationsIn = (state: string): string => join(state, "ca", "invitations");

/** Keys for tokens in the state folder. */
export const standaloneTokenKeys = (state: string): TokenKeys =>
  makeTokenKeys(sealedFile(join(state, "tokens"), standaloneSealing(state)), {
    now: Date.now,
    monotonic: () => performance.now(),
  });

/** What issuing in standalone mode stands on. */
export type StandaloneMeans = {
  readonly config: ServerConfig;
  readonly log: Log;
  readonly ledger: Pick<Ledger, "append">;
  readonly profiles: Profiles;
  readonly catalogue: () => Catalogue | undefined;
  readonly authorities: Pick<RunningAuthorities, "current" | "status">;
  readonly tokens: TokenKeys;
};

/** Issuing in standalone mode; keys turn until it is stopped. */
export type StandaloneIssuing = {
  readonly http: Issuing;
  readonly own: OwnIdentity;
  readonly figures: IssuingFigures;
  readonly stop: () => void;
};

const TURN_MS = 60_000;
const LISTS_MS = 2_000;

/**
 * Issues to machines and functions of the catalogue: the first time by the operator's invitation, then by their current SVID.
 * Keys lie in the state folder, which one server holds.
 */
export async function startStandaloneIssuing(means: StandaloneMeans): Promise<StandaloneIssuing> {
  const { config, catalogue, authorities, tokens } = means;
  const keys: Keys = { authorities: authorities.current, tokens: tokens.current };
  await tokens.advance();
  const timer = setInterval(() => {
    tokens
      .advance()
      .catch((fault: unknown) => means.log.error({ err: fault }, "The keys for tokens could not be turned."));
  }, TURN_MS);
  timer.unref();
  const figures = new IssuingFigures(() => 0, {
    ends: () => endsOf(keys),
    stage: () => authorities.status()?.rotation.stage,
  });
  const issued = rememberedCertificates(config.state, means.profiles, Date.now());
  const vault = sealedFile(join(config.state, "revocations"), standaloneSealing(config.state));
  const lists = runLists({ ...means, vault, keys, issued, now: Date.now, everyMs: LISTS_MS });
  const open = openIssuing({
    ...means,
    keys,
    figures,
    now: Date.now,
    issued,
    lists,
    issuer: config.issuer,
    nodeProxies: [],
    holders: (namespace, account) => {
      const known = catalogue();
      return known ? presentExternals(known, namespace, account) : [];
    },
    podsIn: () => [],
    byToken: (token) => Promise.resolve(invited(token, means)),
  });
  const stop = (): void => {
    clearInterval(timer);
    lists.stop();
  };
  return { http: open.http, own: open.own, figures, stop };
}

function invited(token: string, { config, catalogue }: StandaloneMeans): Result<Present> {
  const taken = redeem(invitationsIn(config.state), token, Date.now());
  if (!taken.ok) return taken;
  const { namespace, name } = taken.value;
  const found = catalogue()?.definitions.externalWorkloads.find(
    (each) => each.namespace === namespace && each.name === name,
  );
  if (found) return ok(presentExternal(found));
  return refuse("TOKEN_REFUSED", "", `There is no ExternalWorkload ${namespace}/${name} any more.`, "Write it again.");
}

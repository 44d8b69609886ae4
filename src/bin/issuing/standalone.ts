import { join } from "node:path";
import { redeem } from "../../ca/invitations.ts";
import { keptFile } from "../../ca/kept-text.ts";
import type { Catalogue } from "../../domain/catalogue.ts";
import type { Profiles } from "../../domain/certificate.ts";
import { ok, refuse, type Result } from "../../domain/problem.ts";
import { IssuingFigures } from "../../http/issuing/figures.ts";
import type { Issuing } from "../../http/issuing/services.ts";
import type { Log } from "../../http/services.ts";
import type { Ledger } from "../../store/ledger.ts";
import type { ServerConfig } from "../../wire/config.ts";
import { makeKeys } from "./keys.ts";
import { endsOf, openIssuing } from "./open-issuing.ts";
import { type Present, presentExternal, presentExternals } from "./present.ts";

/** Folder of invitations in the state folder. */
export const invitationsIn = (state: string): string => join(state, "ca", "invitations");

/** What issuing in standalone mode stands on. */
export type StandaloneMeans = {
  readonly config: ServerConfig;
  readonly log: Log;
  readonly ledger: Pick<Ledger, "append">;
  readonly profiles: Profiles;
  readonly catalogue: () => Catalogue | undefined;
};

/** Issuing in standalone mode; keys turn until it is stopped. */
export type StandaloneIssuing = {
  readonly http: Issuing;
  readonly figures: IssuingFigures;
  readonly stop: () => void;
};

const TURN_MS = 60_000;

/**
 * Issues to machines and functions of the catalogue: the first time by the operator's invitation, then by their current SVID.
 * Keys lie in the state folder, which one server holds.
 */
export async function startStandaloneIssuing(means: StandaloneMeans): Promise<StandaloneIssuing> {
  const { config, catalogue } = means;
  const keys = makeKeys({
    authority: keptFile(join(config.state, "ca", "authority.json")),
    tokens: keptFile(join(config.state, "ca", "tokens.json")),
    profiles: means.profiles,
    now: Date.now,
  });
  await keys.refresh();
  const turn = async (): Promise<void> => {
    const domain = catalogue()?.definitions.trustDomain?.domain;
    if (domain !== undefined) await keys.advance(domain);
  };
  await turn();
  const timer = setInterval(() => {
    turn().catch((fault: unknown) =>
      means.log.error({ err: fault }, "The keys of the trust domain could not be turned."),
    );
  }, TURN_MS);
  timer.unref();
  const figures = new IssuingFigures(
    () => 0,
    () => endsOf(keys),
  );
  const open = openIssuing({
    ...means,
    keys,
    figures,
    issuer: config.issuer,
    holders: (namespace, account) => {
      const known = catalogue();
      return known ? presentExternals(known, namespace, account) : [];
    },
    byToken: (token) => Promise.resolve(invited(token, means)),
  });
  return { http: open.http, figures, stop: () => clearInterval(timer) };
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

import { formatInstant, type Instant } from "../../domain/instant.ts";
import type { AuthorityStatus, ShownAuthority } from "../../wire/authority-status.ts";
import { activeOf, type Authority, type AuthoritySet, successorOf } from "./authority-set.ts";
import { dueAt, needsChain } from "./next-step.ts";
import { renewedMs } from "./pace.ts";
import { forgettableAt, revocableAt, type World } from "./steps.ts";

/** What people are shown of a trust domain's authorities: where each stands, and what it waits for. */
export function authorityStatus(trustDomain: string, set: AuthoritySet, world: World): AuthorityStatus {
  const authorities = set.authorities.map((each) => shown(each, world));
  const { sequence, paused } = set;
  const pace = {
    settleSeconds: Math.ceil(world.pace.settleMs / 1000),
    renewedSeconds: Math.ceil(renewedMs(world.pace) / 1000),
  };
  const { ownRoots } = world;
  return { trustDomain, sequence, paused, ownRoots, pace, rotation: rotationOf(set, authorities, world), authorities };
}

function shown(authority: Authority, world: World): ShownAuthority {
  const { id, root, state, since, window, offline, compromised } = authority;
  return {
    id,
    root,
    state,
    since: formatInstant(since),
    notAfter: formatInstant(window.notAfter),
    offline: offline === true,
    ...(compromised ? { compromised: formatInstant(compromised.at) } : {}),
    ...WAITS[state](authority, world),
  };
}

type Waiting = Pick<ShownAuthority, "waits"> & { readonly at?: string };

const until = (waits: string, at: Instant): Waiting => ({
  waits: `${waits} ${formatInstant(at)}`,
  at: formatInstant(at),
});

/** What comes next for an authority, and when at the earliest. */
const WAITS: Readonly<Record<Authority["state"], (authority: Authority, world: World) => Waiting>> = {
  prepared: () => ({ waits: "its root is put into the bundle" }),
  published: ({ id, publishedAt }, { pace, lacking }) => {
    if (publishedAt === undefined) return { waits: "every place of publication has its root" };
    const [first] = lacking(id);
    if (first !== undefined) return { waits: `${first} has its root` };
    const at = publishedAt + pace.settleMs;
    return {
      waits: `readers have its root: it signs from ${formatInstant(at)} on, if nobody lacks it`,
      at: formatInstant(at),
    };
  },
  active: (authority, { pace }) => {
    if (authority.compromised) return { waits: "its key is in wrong hands: another authority signs" };
    const how = authority.offline ? "a chain for its successor is needed at" : "its successor is prepared at";
    return until(how, dueAt(authority, pace));
  },
  tainted: (authority, { pace }) =>
    until(
      authority.compromised
        ? "whoever renews in time has left it: its root leaves the bundle at"
        : "what it signed has ended: its root leaves the bundle at",
      revocableAt(authority, pace),
    ),
  revoked: (authority, { pace }) => until("it is forgotten at", forgettableAt(authority, pace)),
};

type Rotation = AuthorityStatus["rotation"];

/** The rotation as a whole: the successor's stage if there is one, then what keeps one from being made, then what is left of the last. */
function rotationOf(set: AuthoritySet, authorities: readonly ShownAuthority[], world: World): Rotation {
  const of = (found: Authority | undefined, stage: string): Rotation | undefined => {
    const one = found && authorities.find(({ id }) => id === found.id);
    return one && { stage, since: one.since, next: one.waits, ...(one.at === undefined ? {} : { at: one.at }) };
  };
  const successor = successorOf(set);
  const old = set.authorities.find(({ state }) => state === "tainted");
  return (
    of(successor, successor?.state ?? "") ??
    chainStage(set, world) ??
    requestStage(set) ??
    of(old, "tainted") ??
    of(activeOf(set), "active") ?? { stage: "none", next: "an authority is made" }
  );
}

const CHAIN = "the offline root signs the request: `signet ca csr`, `signet ca sign`, `signet ca import`";

function chainStage(set: AuthoritySet, world: World): Rotation | undefined {
  if (set.awaiting) return { stage: "awaiting-chain", since: formatInstant(set.awaiting.since), next: CHAIN };
  if (!needsChain(set, world)) return undefined;
  const active = activeOf(set);
  const since = active && (active.compromised?.at ?? dueAt(active, world.pace));
  return { stage: "chain-needed", ...(since === undefined ? {} : { since: formatInstant(since) }), next: CHAIN };
}

const requestStage = ({ requestedAt }: AuthoritySet): Rotation | undefined =>
  requestedAt === undefined
    ? undefined
    : { stage: "requested", since: formatInstant(requestedAt), next: "an authority is made" };

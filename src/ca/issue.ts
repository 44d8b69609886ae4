import { hash } from "node:crypto";
import type { Profiles } from "../domain/certificate.ts";
import type { Catalogue } from "../domain/catalogue.ts";
import type { Instant } from "../domain/instant.ts";
import { ok, type Problem, problem, refuseAll, type Result } from "../domain/problem.ts";
import { deriveEntitlement, type Entitlement } from "../identity/entitlement.ts";
import type { Bearer } from "../identity/fit-role.ts";
import type { LeafKey } from "../identity/leaf-key.ts";
import { leafWindow } from "../identity/leaf-window.ts";
import { restrictedProblem, restrictionOn, type Whereabouts } from "../identity/restricted.ts";
import { SvidPlan } from "../identity/svid-plan.ts";
import type { IssuanceRecord } from "../wire/issuance-record.ts";
import type { Issuer, SignedSvid } from "./issuer.ts";
import { KeyUnavailable } from "./keys/key-store.ts";
import type { VerifySigned } from "./keys/verify-signature.ts";
import { readCsr } from "./read-csr.ts";
import { serialNumber } from "./serial.ts";

/** A request for a certificate, by somebody whom the door has authenticated. Nothing here is the caller's word but `csr`. */
export type IssueRequest = {
  readonly door: string;
  readonly caller: string;
  /** For the ledger: `Pod shop/cart-1`. */
  readonly subject: string;
  /** Whom it is for, as the live objects say. */
  readonly bearer: Bearer;
  readonly whereabouts: Whereabouts;
  /** PEM text or DER; or a key whose possession the door has proved in another way. */
  readonly csr: string | Uint8Array | LeafKey;
  readonly ttlSeconds?: number;
  /** Serial number of the certificate by which it is asked for. */
  readonly renews?: string;
  /** Whether only that key type will do. */
  readonly keyType?: LeafKey["keyType"];
};

/** What the walk looks up: one frozen snapshot, the active authority (none while there is none), the profiles. */
export type Lookup = {
  readonly catalogue: Catalogue;
  readonly issuer: Issuer | undefined;
  readonly profiles: Profiles;
};

/** What the walk is handed in. `record` resolves when the record is durable. */
export type IssueParts = {
  readonly lookup: () => Lookup;
  readonly record: (record: IssuanceRecord) => Promise<void>;
  readonly now: () => Instant;
  readonly random: (bytes: number) => Uint8Array;
  /** By what a request proves that its sender holds the key. */
  readonly verify: VerifySigned;
};

/** A certificate that may leave: it is in the ledger. */
export type IssuedSvid = SignedSvid & {
  readonly entitlement: Entitlement;
  /** Leaf first, the root left out; DER. */
  readonly chain: readonly Buffer[];
};

/**
 * One certificate's walk, the same whatever the door: identity from the catalogue, key from the request, plan, signature,
 * second look, ledger. Every issue and every refusal is durable in the ledger before this resolves; where it cannot be
 * written, nothing leaves (LEDGER_UNAVAILABLE). Faults of ours are recorded as INTERNAL and thrown.
 */
export async function issue(request: IssueRequest, parts: IssueParts): Promise<Result<IssuedSvid>> {
  const at = parts.now();
  const { catalogue, issuer, profiles } = parts.lookup();
  const { door, caller, subject } = request;
  const asked = { at, door, caller, subject, ...placeOf(request.whereabouts), revision: catalogue.revision };
  const refuseRecorded = async (problems: readonly Problem[]): Promise<Result<never>> => {
    const [first] = problems;
    const { code, message } = first ?? FAULT;
    return (await recorded(parts, { ...asked, outcome: "refused", code, message })) ?? refuseAll(problems);
  };
  const serial = serialNumber(parts.random, request.renews);
  const planned = await plan(request, { catalogue, issuer, profiles }, { at, serial, verify: parts.verify });
  if (!planned.ok) return refuseRecorded(planned.problems);
  const signed = await planned.value.issuer.sign(planned.value.plan).then(ok, async (fault: unknown) => {
    if (fault instanceof KeyUnavailable) return refuseRecorded([keyAway(fault)]);
    await refuseRecorded([FAULT]);
    throw fault;
  });
  if (!signed.ok) return signed;
  const { entitlement } = planned.value;
  const failed = await recorded(parts, { ...asked, ...issued(signed.value, entitlement) });
  return (
    failed ?? ok({ ...signed.value, entitlement, chain: [signed.value.der, ...planned.value.issuer.intermediates] })
  );
}

const FAULT = problem("INTERNAL", "", "Signet failed.");

const keyAway = ({ message }: KeyUnavailable): Problem =>
  problem(
    "AUTHORITY_UNAVAILABLE",
    "",
    `The authority's key cannot be used: ${message}.`,
    "Bring the token back; what asked is answered then.",
  );

type Terms = Pick<IssueParts, "verify"> & { readonly at: Instant; readonly serial: string };

type Planned = { readonly plan: SvidPlan; readonly issuer: Issuer; readonly entitlement: Entitlement };

/** Everything up to the signature; without side effects. */
async function plan(request: IssueRequest, lookup: Lookup, { at, serial, verify }: Terms): Promise<Result<Planned>> {
  const { catalogue, issuer, profiles } = lookup;
  const entitlement = deriveEntitlement(catalogue, request.bearer);
  if (!entitlement.ok) return entitlement;
  const restricted = restrictionAgainst(catalogue, entitlement.value, request.whereabouts);
  if (restricted) return refuseAll([restricted]);
  const key = await keyOf(request, verify);
  if (!key.ok) return key;
  if (!issuer) return refuseAll([NO_AUTHORITY]);
  const wish = { asked: request.ttlSeconds, entitled: entitlement.value.maxTtlSeconds };
  const window = leafWindow(profiles.leaf, issuer.facts, wish, at);
  if (!window.ok) return window;
  const particulars = { serial, issuer: issuer.facts, window: window.value };
  const made = SvidPlan.for(profiles.leaf, entitlement.value, key.value, particulars);
  return made.ok ? ok({ plan: made.value, issuer, entitlement: entitlement.value }) : made;
}

const NO_AUTHORITY = problem(
  "AUTHORITY_UNAVAILABLE",
  "",
  "There is no active authority.",
  "`signet ca status` shows the authorities and what each waits for.",
);

function restrictionAgainst(
  catalogue: Catalogue,
  entitlement: Entitlement,
  whereabouts: Whereabouts,
): Problem | undefined {
  const { spiffeId, role, segment } = entitlement;
  const identity = { spiffeId, role: role.name, segment: segment.name };
  const found = restrictionOn(catalogue.definitions.restrictions, { identity, ...whereabouts });
  return found && restrictedProblem(found);
}

async function keyOf({ csr, keyType }: IssueRequest, verify: VerifySigned): Promise<Result<LeafKey>> {
  const read = typeof csr === "string" || csr instanceof Uint8Array ? await readCsr(csr, verify) : ok(csr);
  if (!read.ok || keyType === undefined || read.value.keyType === keyType) return read;
  const message = `The key is of type ${read.value.keyType}, and ${keyType} was asked for.`;
  return refuseAll([problem("KEY_TYPE_REFUSED", "csr", message, "Send a request with a key of that type.")]);
}

/** Where the holder is, for the ledger: by it a certificate is found when a Pod, a machine or a node is restricted. */
export const placeOf = ({ pod, node, virtualMachine }: Whereabouts) => ({
  ...(pod?.uid === undefined ? {} : { pod: pod.uid }),
  ...(node ? { node: node.name } : {}),
  ...(virtualMachine ? { virtualMachine: virtualMachine.name } : {}),
});

function issued({ contents, der }: SignedSvid, { role, segment }: Entitlement) {
  const { serial, spiffeId, key, window, issuer } = contents;
  return {
    outcome: "issued" as const,
    serial,
    spiffeId,
    role: role.name,
    segment: segment.name,
    keyType: key.keyType,
    ...window,
    authority: issuer.keyId,
    sha256: hash("sha256", der),
  };
}

async function recorded({ record }: IssueParts, line: IssuanceRecord): Promise<Result<never> | undefined> {
  try {
    await record(line);
    return undefined;
  } catch {
    return refuseAll([LEDGER_DOWN]);
  }
}

const LEDGER_DOWN = problem(
  "LEDGER_UNAVAILABLE",
  "",
  "The ledger cannot be written, so no certificate is issued.",
  "Look at the server's log and at the disk that holds the state folder.",
);

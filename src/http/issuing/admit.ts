import { problem, type Problem, type Result } from "../../domain/problem.ts";
import { Buckets, MOST_KEYS } from "./buckets.ts";
import { credentialOf, type Knocking, type Shown } from "./credential.ts";
import { KnownGood } from "./known-good.ts";
import { type Caller, type Door, type Issuing, SHARES } from "./services.ts";

/** A refusal, and after how many milliseconds it is worth to ask again. */
export type Turned = { readonly problems: readonly Problem[]; readonly waitMs?: number };

/** Who may go on with a request: its caller, or why not. */
export type Admission = { readonly caller: Caller } | { readonly turned: Turned };

/** Who may come in, by which door. */
type Admit = (knocking: Knocking, door: Door) => Promise<Admission>;

const admissions = new WeakMap<Issuing, Admit>();

/** The one admission to what is issued here: a caller's shares are the same by whatever door it comes. */
export function admissionOf(issuing: Issuing): Admit {
  const known = admissions.get(issuing) ?? makeAdmission(issuing);
  admissions.set(issuing, known);
  return known;
}

/**
 * Lets callers in. Before anybody is asked who a caller is, work is bounded and counted: by credential, so that a flood of one
 * costs the API server nothing; by address for refused ones; and so many questions at one time. A credential that was
 * somebody's is not barred by what else its address shows: strangers may share it.
 */
function makeAdmission(issuing: Issuing): Admit {
  const shares = { ...SHARES, ...issuing.shares };
  const byCredential = new Buckets(shares.credential);
  const byIdentity = new Buckets(shares.identity);
  const failures = new Buckets(shares.failures);
  const good = new KnownGood(MOST_KEYS);
  let asking = 0;

  const ask = async (address: string, { key, credential }: Shown, door: Door): Promise<Result<Caller>> => {
    let failed = true;
    asking += 1;
    try {
      const caller = await issuing.authenticate(credential, door);
      failed = !caller.ok;
      if (failed) good.forget(key);
      else good.add(key);
      return caller;
    } finally {
      if (failed) failures.take(address, issuing.monotonic());
      asking -= 1;
    }
  };

  return async (knocking, door) => {
    const now = issuing.monotonic();
    const shown = credentialOf(knocking);
    if (!shown.ok) return { turned: shown };
    const address = knocking.socket.remoteAddress ?? "";
    const { key } = shown.value;
    const barred = good.has(key) ? 0 : failures.look(address, now);
    const wait = Math.max(byCredential.take(key, now), barred);
    if (wait > 0) return tooMany(wait);
    if (asking >= shares.asking) return BUSY;
    const caller = await ask(address, shown.value, door);
    if (!caller.ok) return { turned: caller };
    const share = byIdentity.take(caller.value.identity, now);
    return share > 0 ? tooMany(share) : { caller: caller.value };
  };
}

const tooMany = (waitMs: number): Admission => ({
  turned: {
    problems: [problem("RATE_LIMITED", "", "The caller asks for more than its share.", "Ask again later.")],
    waitMs,
  },
});

const BUSY: Admission = {
  turned: {
    problems: [problem("NOT_READY", "", "Too many callers are being looked at.", "Ask again in a second.")],
    waitMs: 1000,
  },
};

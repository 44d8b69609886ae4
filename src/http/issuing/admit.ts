import type { IncomingMessage } from "node:http";
import { problem, type Problem, type Result } from "../../domain/problem.ts";
import { Buckets } from "./buckets.ts";
import { credentialOf } from "./credential.ts";
import { type Caller, type Issuing, SHARES } from "./services.ts";

/** A refusal, and after how many milliseconds it is worth to ask again. */
export type Turned = { readonly problems: readonly Problem[]; readonly waitMs?: number };

/** Who may go on with a request: its caller, or why not. */
export type Admission = { readonly caller: Caller } | { readonly turned: Turned };

/**
 * Lets callers in. Before anybody is asked who a caller is, work is bounded and counted: by credential, so that a flood of one
 * costs the API server nothing; by address for refused ones; and so many questions at one time.
 */
export function makeAdmission(issuing: Issuing): (request: IncomingMessage) => Promise<Admission> {
  const shares = { ...SHARES, ...issuing.shares };
  const byCredential = new Buckets(shares.credential);
  const byIdentity = new Buckets(shares.identity);
  const failures = new Buckets(shares.failures);
  let asking = 0;

  const ask = async (address: string, credential: Parameters<Issuing["authenticate"]>[0]): Promise<Result<Caller>> => {
    asking += 1;
    try {
      const caller = await issuing.authenticate(credential);
      if (!caller.ok) failures.take(address, issuing.monotonic());
      return caller;
    } finally {
      asking -= 1;
    }
  };

  return async (request) => {
    const now = issuing.monotonic();
    const shown = credentialOf(request);
    if (!shown.ok) return { turned: shown };
    const address = request.socket.remoteAddress ?? "";
    const wait = Math.max(byCredential.take(shown.value.key, now), failures.look(address, now));
    if (wait > 0) return tooMany(wait);
    if (asking >= shares.asking) return BUSY;
    const caller = await ask(address, shown.value.credential);
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

import { randomUUID } from "node:crypto";
import { fingerprint, makeAuthority } from "../../ca/serving-certificates.ts";
import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import type { Instant } from "../../domain/instant.ts";
import { problemLine, type Result } from "../../domain/problem.ts";
import type { KubeClient } from "../../kube/client.ts";
import { SECRETS as SECRET_RESOURCE } from "../../kube/resources.ts";
import { SECRETS } from "../../wire/manifests/names.ts";
import type { Raw } from "../../wire/read-object.ts";
import {
  type KeptAuthority,
  readServingSecret,
  renderServingSecret,
  rotationAsked,
  type ServingSecret,
} from "../../wire/serving-secret.ts";

const NAME = { namespace: SIGNET_NAMESPACE, name: SECRETS.serving };

/** The Secret as it was read: what it holds, and what a change of it must name. */
export type KeptServing = {
  readonly secret: Raw | undefined;
  readonly state: ServingSecret | undefined;
  /** A value of the annotation that was not followed yet. */
  readonly asked: string | undefined;
};

/** The Secret in which replicas share the authority of serving certificates. */
export type ServingStore = {
  readonly read: () => Promise<KeptServing>;
  /** What was last read, or written, whatever became of the Secret since. */
  readonly remembered: () => ServingSecret | undefined;
  /** Writes only where nobody wrote since; false where somebody did. */
  readonly write: (kept: KeptServing, next: ServingSecret) => Promise<boolean>;
};

/** The store over the API server. Throws where that cannot be asked. */
export function makeServingStore(client: Pick<KubeClient, "get" | "update" | "patch">): ServingStore {
  let last: ServingSecret | undefined;
  return {
    read: async () => {
      const found = await client.get(SECRET_RESOURCE, NAME);
      if (!found.ok && found.problems[0]?.code !== "NOT_FOUND")
        throw new Error(found.problems.map(problemLine).join("; "));
      const secret = found.ok ? found.value : undefined;
      const state = secret && readServingSecret(secret);
      const asked = secret && rotationAsked(secret);
      last = state ?? last;
      return { secret, state, asked: asked === state?.rotated ? undefined : asked };
    },
    remembered: () => last,
    write: async ({ secret }, next) => {
      const data = renderServingSecret(next);
      const written = secret ? await client.update(SECRET_RESOURCE, { ...secret, data }) : await make(client, data);
      if (written.ok) last = next;
      if (written.ok || written.problems[0]?.code === "API_CONFLICT") return written.ok;
      throw new Error(written.problems.map(problemLine).join("; "));
    },
  };
}

/** By server-side apply, each time as another manager: creation that RBAC can limit to a name, and that gives way to whoever was first. */
const make = (client: Pick<KubeClient, "patch">, data: Raw): Promise<Result<Raw>> =>
  client.patch(SECRET_RESOURCE, NAME, {
    type: "apply",
    fieldManager: `signet-${randomUUID()}`,
    body: { apiVersion: "v1", kind: "Secret", metadata: NAME, type: "Opaque", data },
  });

/** A new authority, as the Secret keeps it. */
export async function newAuthority(now: Instant, lifetimeMs: number): Promise<KeptAuthority> {
  const made = await makeAuthority(now, lifetimeMs);
  return { id: fingerprint(made.certificate), ...made };
}

async function firstState(now: Instant, lifetimeMs: number): Promise<ServingSecret> {
  const first = await newAuthority(now, lifetimeMs);
  return { authorities: [first], signer: first.id };
}

/** What the Secret holds; whoever finds it without an authority brings back what it remembers, or makes the first one. */
export async function foundServing(
  store: ServingStore,
  lifetimeMs: number,
  now: () => Instant,
): Promise<ServingSecret> {
  for (;;) {
    const kept = await store.read();
    if (kept.state) return kept.state;
    await store.write(kept, store.remembered() ?? (await firstState(now(), lifetimeMs)));
  }
}

import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readIfThere, writeWhole } from "../../ca/key-files.ts";
import type { AuthorityAccess, Where } from "../../cli/ca/access.ts";
import type { KubeAccess, KubeResource } from "../../cli/kube-access.ts";
import { SIGNET_NAMESPACE } from "../../domain/exempt-namespaces.ts";
import { ok, refuse, type Result } from "../../domain/problem.ts";
import { ASK_KEYS } from "../../kube/ask-map.ts";
import { CONFIG_MAPS } from "../../kube/resources.ts";
import { type AuthorityWish, readAuthorityAnswer, renderAuthorityMessage } from "../../wire/authority-ask.ts";
import { readAuthorityStatus, readTrustDomainStatus } from "../../wire/authority-status.ts";
import { ASKS } from "../../wire/manifests/names.ts";
import { rawAt, textAt } from "../../wire/read-object.ts";
import { openKube } from "../open-kube.ts";
import { authoritiesIn, MESSAGES } from "./folder.ts";

/** The way to the authorities of a standalone server, by its state folder, or of a cluster. */
export async function openAuthorities({ state, cluster, ...choice }: Where): Promise<Result<AuthorityAccess>> {
  if (!cluster && choice.kubeconfig === undefined && choice.context === undefined)
    return ok(inFolder(authoritiesIn(state)));
  const kube = await openKube(choice);
  return kube.ok ? ok(inCluster(kube.value)) : kube;
}

const POLL_MS = 100;
/** Longer than a server takes that is busy; the replica that writes looks every two seconds. */
const PATIENCE_MS = 30_000;

type Answered = Result<{ readonly csr?: string }>;

async function answerTo(
  ask: string,
  read: () => Promise<string | undefined>,
  pollMs: number,
): Promise<Answered | undefined> {
  for (let waited = 0; waited < PATIENCE_MS; waited += pollMs) {
    const answer = readAuthorityAnswer(await read(), ask);
    if (answer) return answer;
    await sleep(pollMs);
  }
  return undefined;
}

const newAsk = (wish: AuthorityWish): { readonly ask: string; readonly text: string } => {
  const ask = randomBytes(16).toString("hex");
  return { ask, text: renderAuthorityMessage({ ask, wish }) };
};

const BUSY = refuse(
  "API_CONFLICT",
  "",
  "Somebody else's wish waits for its answer.",
  "Try again; where nobody answers, is the server running?",
);

const NO_ANSWER = refuse(
  "AUTHORITY_UNAVAILABLE",
  "",
  "Nobody answered; the wish was taken back.",
  "Is the server running?",
);

function inFolder(folder: string): AuthorityAccess {
  const [ask, answer, status] = [MESSAGES.ask, MESSAGES.answer, MESSAGES.status].map((name) => join(folder, name));
  const paths = { ask: ask ?? "", answer: answer ?? "", status: status ?? "" };
  return {
    status: () => {
      const text = readIfThere(paths.status);
      return Promise.resolve(text === undefined ? noStatus(folder) : readAuthorityStatus(text));
    },
    ask: async (wish) => {
      if (!existsSync(paths.status)) return noStatus(folder);
      if (existsSync(paths.ask)) return BUSY;
      const asking = newAsk(wish);
      writeWhole(paths.ask, asking.text, 0o600);
      const answered = await answerTo(asking.ask, () => Promise.resolve(readIfThere(paths.answer)), POLL_MS);
      if (!answered && readIfThere(paths.ask) === asking.text) rmSync(paths.ask, { force: true });
      return answered ?? NO_ANSWER;
    },
  };
}

const noStatus = (folder: string): Result<never> =>
  refuse(
    "FILE_UNREADABLE",
    "--state",
    `There is no status of authorities in ${folder}.`,
    "Name the state folder of a standalone server that has run with a TrustDomain; for a cluster: --cluster.",
  );

const TRUST_DOMAINS: KubeResource = {
  group: "signet.dev",
  version: "v1alpha1",
  plural: "trustdomains",
  kind: "TrustDomain",
  namespaced: false,
};
const MAP = { namespace: SIGNET_NAMESPACE, name: ASKS };
const CLUSTER_POLL_MS = 500;

function inCluster(kube: KubeAccess): AuthorityAccess {
  return {
    status: async () => {
      const found = await kube.get(TRUST_DOMAINS, { name: "local" });
      return found.ok ? readTrustDomainStatus(found.value) : found;
    },
    ask: async (wish) => {
      const found = await kube.get(CONFIG_MAPS, MAP);
      if (!found.ok) return found;
      if (textAt(rawAt(found.value, "data"), ASK_KEYS.ask) !== undefined) return BUSY;
      const asking = newAsk(wish);
      const { resourceVersion } = rawAt(found.value, "metadata") ?? {};
      const body = { metadata: { resourceVersion }, data: { [ASK_KEYS.ask]: asking.text } };
      const written = await kube.merge(CONFIG_MAPS, MAP, body);
      if (!written.ok) return written;
      const read = async () => {
        const now = await kube.get(CONFIG_MAPS, MAP);
        return now.ok ? textAt(rawAt(now.value, "data"), ASK_KEYS.answer) : undefined;
      };
      const answered = await answerTo(asking.ask, read, CLUSTER_POLL_MS);
      if (!answered) await takeBack(kube, asking.text);
      return answered ?? NO_ANSWER;
    },
  };
}

/** Never what somebody else has asked meanwhile. */
async function takeBack(kube: KubeAccess, ask: string): Promise<void> {
  const found = await kube.get(CONFIG_MAPS, MAP);
  if (!found.ok || textAt(rawAt(found.value, "data"), ASK_KEYS.ask) !== ask) return;
  const { resourceVersion } = rawAt(found.value, "metadata");
  await kube.merge(CONFIG_MAPS, MAP, { metadata: { resourceVersion }, data: { [ASK_KEYS.ask]: null } });
}

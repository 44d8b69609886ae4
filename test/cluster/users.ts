import { join } from "node:path";
import { accepted } from "./accepted.ts";
import { type ApiClient, makeApiClient } from "./api.ts";
import type { ControlPlane } from "./control-plane.ts";
import { ADMIN, type Credentials, kubeconfigFile, writeKubeconfig } from "./kubeconfig.ts";

/** Who acts: the administrator, a user with a client certificate, or a service account with a token. */
export type Actor = {
  readonly user?: string;
  readonly groups?: readonly string[];
  /** `NAMESPACE/NAME`; its token lasts an hour and is asked for once. */
  readonly serviceAccount?: string;
};

/** Credentials and kept connections of everybody who acts on a cluster. */
export type Users = {
  readonly credentials: (who: Actor) => Promise<Credentials>;
  readonly client: (who: Actor) => Promise<ApiClient>;
  readonly close: () => void;
};

/** Nothing is made before it is asked for. */
export function makeUsers(plane: ControlPlane, ca: string, stateDir: string): Users {
  const clients = new Map<Credentials, ApiClient>();
  const accounts = new Map<string, Promise<Credentials>>();
  const accountOf = (account: string) => {
    const known = accounts.get(account) ?? serviceAccount(account, plane, ca, stateDir);
    accounts.set(account, known);
    return known;
  };
  const credentials = (who: Actor) => {
    if (who.serviceAccount !== undefined) return accountOf(who.serviceAccount);
    return plane.credentials(who.user === undefined ? ADMIN : { name: who.user, groups: who.groups ?? [] });
  };
  return {
    credentials,
    client: async (who) => {
      const found = await credentials(who);
      const client = clients.get(found) ?? makeApiClient(plane.url, ca, found.proof);
      clients.set(found, client);
      return client;
    },
    close: () => {
      plane.admin.close();
      for (const client of clients.values()) client.close();
    },
  };
}

async function serviceAccount(
  account: string,
  plane: ControlPlane,
  ca: string,
  stateDir: string,
): Promise<Credentials> {
  const [namespace, name] = account.split("/");
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const given = await accepted(plane.admin, "POST", path, { body: { spec: { expirationSeconds: 3600 } } });
  const proof = { token: (given as { readonly status: { readonly token: string } }).status.token };
  const kubeconfigPath = join(stateDir, kubeconfigFile(account, `serviceaccount ${account}`));
  await writeKubeconfig(kubeconfigPath, plane.url, ca, proof);
  return { proof, kubeconfigPath };
}

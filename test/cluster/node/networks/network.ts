import { accepted } from "../../accepted.ts";
import type { ApiClient } from "../../api.ts";
import type { BinaryName } from "../../recipes.ts";

/** What connects Pods and, for all but `bridge`, enforces policies between them. */
export type NetworkName = "bridge" | "calico" | "cilium";

/** What a network may do on the node it is started on. */
export type NodeAccess = {
  readonly stateDir: string;
  readonly admin: ApiClient;
  /** A kubeconfig for daemons of the node, with every right. */
  readonly daemonKubeconfig: string;
  /** The path of a binary or of files that came with one. */
  readonly bin: (name: BinaryName) => string;
  /** Runs a program inside the node's namespaces to its end; throws when its code is not 0. */
  readonly run: (...argv: [string, ...string[]]) => Promise<void>;
  /** Starts a daemon inside; its log is `logs/ID.log`. */
  readonly start: (id: string, argv: readonly [string, ...string[]], env?: Readonly<Record<string, string>>) => void;
  readonly stop: (id: string) => Promise<void>;
  /** Polls until `check` gives true; throws, with the end of the daemon's log, when it ends or time is up. */
  readonly until: (id: string, check: () => Promise<boolean>) => Promise<void>;
  /** The status of a GET inside the node's network, 0 where nobody answers. */
  readonly statusInside: (address: string, path: string) => Promise<number>;
};

/** How one network is put on a node without Pods, and taken away from it again. */
export type Network = {
  readonly binaries: readonly BinaryName[];
  /** The network's configuration for containerd, a CNI list. */
  readonly conflist: (node: NodeAccess) => object;
  readonly start: (node: NodeAccess) => Promise<void>;
  /** Leaves the node's network as if it had never been there. */
  readonly stop: (node: NodeAccess) => Promise<void>;
};

/** Applies an object on the server's side, under its own path. */
export async function applyObject(admin: ApiClient, path: string, body: object): Promise<void> {
  const contentType = "application/apply-patch+yaml";
  await accepted(admin, "PATCH", `${path}?fieldManager=signet-test&force=true`, { body, contentType });
}

import type { Definitions } from "../../src/domain/catalogue.ts";
import type { PatchOperation } from "../../src/domain/json-patch.ts";
import { type ApprovalAction, decideApprovals } from "../../src/reconcile/approvals/decide.ts";
import { readDefinitions } from "../../src/wire/definitions.ts";
import { type KubeObject, readApiObject } from "../../src/wire/objects.ts";
import { brokenRule, type Entry, nextEditors, SIGNET, type Stored } from "./approval-rules.ts";
import { must, objectsOf } from "./judging.ts";
import { applyPatch } from "./json-patch.ts";

/** Refused by an admission policy; the message says by which rule. */
export class Refused extends Error {}

/**
 * A store of Signet's kinds that keeps editors and guards the status as the admission policies of an API server do. What
 * breaks a rule is refused, whoever does it.
 */
export class ApprovalStore {
  readonly #objects = new Map<string, Stored>();
  #version = 0;

  /** Creates or edits an object as this user; the generation rises where the spec changes. */
  apply(user: string, yaml: string): void {
    for (const { raw } of objectsOf(yaml)) this.#edit(user, raw as unknown as Stored);
  }

  #edit(user: string, given: Stored): void {
    const old = this.#objects.get(keyOf(given));
    const edited = JSON.stringify(old?.spec) !== JSON.stringify(given.spec);
    const editors = nextEditors(user, old, edited);
    this.#put({
      ...given,
      metadata: {
        ...given.metadata,
        uid: old?.metadata.uid ?? `uid-${this.#objects.size}`,
        generation: (old?.metadata.generation ?? 0) + (edited ? 1 : 0),
        annotations: { ...given.metadata.annotations, "signet.dev/editors": editors },
      },
      status: old?.status ?? { approvals: [], conditions: [] },
    });
  }

  #put(object: Stored): void {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    this.#objects.set(keyOf(object), { ...object, metadata });
  }

  delete(kind: string, name: string): void {
    this.#objects.delete(`${kind}/${name}`);
  }

  get(kind: string, name: string): Stored {
    const found = this.#objects.get(`${kind}/${name}`);
    if (!found) throw new Error(`there is no ${kind} ${name}`);
    return found;
  }

  /** Every object of the kind. */
  all(kind: string): readonly Stored[] {
    return [...this.#objects.values()].filter((each) => each.kind === kind);
  }

  /** Changes an object past every rule: what came before the policies. */
  tamper(kind: string, name: string, change: (object: Stored) => Stored): void {
    this.#put(change(this.get(kind, name)));
  }

  /** Appends an approval as a user with the verb `approve` does. */
  approve(user: string, kind: string, name: string, more: Partial<Entry> = {}): void {
    const value = { generation: this.get(kind, name).metadata.generation, by: user, ...more };
    this.patchStatus(user, kind, name, [{ op: "add", path: "/status/approvals/-", value }]);
  }

  withdraw(user: string, kind: string, name: string, more: Partial<Entry> = {}): void {
    this.approve(user, kind, name, { ...more, withdraw: true });
  }

  patchStatus(user: string, kind: string, name: string, patch: readonly PatchOperation[]): void {
    if (!this.#objects.has("TrustDomain/local")) throw new Refused("there is no TrustDomain to go by");
    const old = this.get(kind, name);
    const now = { ...applyPatch(old, patch), metadata: old.metadata, spec: old.spec };
    const broken = brokenRule({ user, old, now, ...this.#terms() });
    if (broken !== undefined) throw new Refused(`${user} on ${kind} ${name}: ${broken}`);
    this.#put(now);
  }

  #terms(): { required: number; gitOps: string[] } {
    const approved = this.#objects.get("TrustDomain/local")?.status.approved;
    return { required: 1, gitOps: [], ...(approved?.spec as { approvals?: object } | undefined)?.approvals };
  }

  /** The snapshot that a decider is handed. */
  snapshot(): { readonly objects: readonly KubeObject[]; readonly definitions: Definitions } {
    const objects = [...this.#objects.values()].map((each) => must(readApiObject(each, "the store")));
    return { objects, definitions: must(readDefinitions(objects)) };
  }

  /** Lets the decider work until it has nothing more to do; gives what it did. Over eight rounds are a quarrel with itself. */
  reconcile(now: number, decide: typeof decideApprovals = decideApprovals): readonly ApprovalAction[] {
    const done: ApprovalAction[] = [];
    for (let round = 0; round < 8; round++) {
      const actions = decide(this.snapshot(), now);
      if (actions.length === 0) return done;
      for (const { object, patch } of actions) this.patchStatus(SIGNET, object.kind, object.name, patch);
      done.push(...actions);
    }
    throw new Error("the decider does not come to rest");
  }

  /** Type, status and reason of an object's conditions. */
  conditions(kind: string, name: string): readonly string[] {
    return this.get(kind, name).status.conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);
  }
}

const keyOf = (object: Stored): string => `${object.kind}/${object.metadata.name}`;

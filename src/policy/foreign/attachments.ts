import type { Attachment } from "../model/world.ts";
import { type AddressSet, NO_ADDRESSES, parseAddress, setOf, uniteAddresses } from "../sets/address-set.ts";
import { at, type Field, optionalText, warnField } from "./field.ts";

const ANNOTATION = "k8s.v1.cni.cncf.io/networks";

/** Secondary networks of a Pod by its annotation: `[ns/]name[@if]` with commas, or JSON with `ips` (Multus quick start). */
export function readAttachments(annotations: Field, namespace: string): readonly Attachment[] {
  const field = at(annotations, ANNOTATION);
  const text = (optionalText(field) ?? "").trim();
  if (text === "") return [];
  if (text.startsWith("[") || text.startsWith("{")) return fromJson(field, text, namespace);
  return text.split(",").map((entry) => ({ ...networkName(entry, namespace), addresses: NO_ADDRESSES }));
}

/** `ns/name@eth1` or `name`, in the namespace given where it names none. */
export function networkName(text: string, namespace: string): { readonly namespace: string; readonly name: string } {
  const [name = ""] = text.trim().split("@", 1);
  const slash = name.indexOf("/");
  return slash < 0 ? { namespace, name } : { namespace: name.slice(0, slash), name: name.slice(slash + 1) };
}

function fromJson(field: Field, text: string, namespace: string): readonly Attachment[] {
  const value = parseJson(text);
  if (value === undefined) {
    warnField(field, "FIELD_INVALID", "This annotation is not JSON, so its networks are left out.");
    return [];
  }
  return (Array.isArray(value) ? value : [value]).flatMap((entry: unknown) => {
    const item: Field = { value: entry, path: field.path, notes: field.notes };
    const name = optionalText(at(item, "name"));
    if (name === undefined) return [];
    const ips: unknown = at(item, "ips").value;
    return [
      {
        namespace: optionalText(at(item, "namespace")) ?? namespace,
        name,
        addresses: addressesOf(Array.isArray(ips) ? ips : []),
      },
    ];
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Addresses as texts, with or without a prefix length, which is dropped. */
export const addressesOf = (texts: readonly unknown[]): AddressSet =>
  texts
    .map((text) => (typeof text === "string" ? parseAddress(text.split("/", 1)[0] ?? "") : undefined))
    .reduce<AddressSet>((set, block) => (block ? uniteAddresses(set, setOf(block)) : set), NO_ADDRESSES);

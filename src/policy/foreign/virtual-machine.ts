import type { Attachment, PodRecord } from "../model/world.ts";
import { type AddressSet, NO_ADDRESSES } from "../sets/address-set.ts";
import { addressesOf, networkName } from "./attachments.ts";
import { at, type Field, items, keysOf, optionalText, present, textMap } from "./field.ts";
import { type Opened, requiredName } from "./object.ts";

/** Reads a kubevirt.io/v1 VirtualMachine: labels are the template's, as only those reach the launcher Pod; it lists no ports. */
export function readVirtualMachine(opened: Opened, parseYaml: (text: string) => unknown): PodRecord {
  const template = at(opened.root, "spec", "template");
  const spec = at(template, "spec");
  const name = requiredName(opened);
  const { namespace } = opened;
  const addresses = guestAddresses(spec, parseYaml);
  return {
    namespace,
    name,
    workload: { namespace, name, kind: "VirtualMachine" },
    labels: textMap(at(template, "metadata", "labels")),
    serviceAccount: serviceAccountOf(spec),
    ports: [],
    addresses: NO_ADDRESSES,
    virtualMachine: true,
    attachments: items(at(spec, "networks")).flatMap((network): readonly Attachment[] => {
      const asked = optionalText(at(network, "multus", "networkName"));
      return asked === undefined ? [] : [{ ...networkName(asked, namespace), addresses }];
    }),
    locate: opened.locate,
  };
}

function serviceAccountOf(spec: Field): string {
  const volumes = items(at(spec, "volumes")).map((volume) =>
    optionalText(at(volume, "serviceAccount", "serviceAccountName")),
  );
  return volumes.find((account) => account !== undefined) ?? "default";
}

/**
 * Addresses that cloud-init gives the guest's interfaces (network config v2), all but eth0, which sits on the Pod network.
 * The text is YAML, which this room does not read: the caller hands in how.
 */
function guestAddresses(spec: Field, parseYaml: (text: string) => unknown): AddressSet {
  const texts = items(at(spec, "volumes")).flatMap((volume) =>
    ["cloudInitNoCloud", "cloudInitConfigDrive"].map((source) => at(volume, source, "networkData")),
  );
  return addressesOf(texts.filter(present).flatMap((field) => deviceAddresses(field, parseYaml)));
}

function deviceAddresses(field: Field, parseYaml: (text: string) => unknown): readonly unknown[] {
  const data: Field = { ...field, value: parseYaml(optionalText(field) ?? "") };
  const ethernets = [at(data, "ethernets"), at(data, "network", "ethernets")].find(present) ?? data;
  return keysOf(ethernets)
    .filter((device) => device !== "eth0")
    .flatMap((device) => items(at(ethernets, device, "addresses")).map((address) => address.value));
}

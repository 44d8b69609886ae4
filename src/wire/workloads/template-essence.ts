import { type Raw, rawAt } from "../read-object.ts";
import { metadataEssence, podEssence } from "./pod-essence.ts";
import { shapeOf } from "./shapes.ts";

/**
 * An object that speaks for workloads, with nothing in it but what a verdict on them reads. Twice the essence is the essence;
 * what is no workload stays as it is.
 */
export function templateEssence(object: Raw): Raw {
  const { apiVersion, kind } = object;
  const shape = shapeOf(String(apiVersion), String(kind));
  if (!shape) return object;
  const holder = shape.template.reduce(rawAt, object);
  const { spec, metadata } = shape.spec === "pod" ? podEssence(holder) : instanceEssence(holder);
  const template = shape.template.reduceRight<Raw>((inner, step) => ({ [step]: inner }), { metadata, spec });
  return { apiVersion, kind, ...template, metadata: metadataEssence(rawAt(object, "metadata")) };
}

/** What a verdict reads of a KubeVirt instance's spec: its account, and its networks. */
export function instanceEssence(instance: Raw): Raw {
  const { serviceAccountName, volumes, networks, domain } = rawAt(instance, "spec");
  const interfaces = rawAt(rawAt({ domain }, "domain"), "devices")["interfaces"];
  return {
    metadata: metadataEssence(rawAt(instance, "metadata")),
    spec: { serviceAccountName, volumes, networks, domain: { devices: { interfaces } } },
  };
}

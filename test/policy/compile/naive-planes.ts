import { type OracleEnd, type OracleNetworkPolicy, type OracleTieredPolicy, oracleAllows } from "../oracle.ts";
import type { Rendered } from "../../../src/policy/compile/rendered.ts";

/** A Pod as data planes see it once it is stamped; `identity` is its SPIFFE ID, where an account is known. */
export type NaivePod = Exclude<OracleEnd, string> & { readonly identity?: string };

/** Whether a data plane lets one Pod reach another on a port; ICMP is asked as port 0 of ICMP. */
export type NaivePlane = (from: NaivePod, to: NaivePod, protocol: string, port: number) => boolean;

type Values = Readonly<Record<string, unknown>>;

const values = (value: unknown): Values => (typeof value === "object" && value !== null ? { ...value } : {});
const listed = (value: unknown): readonly Values[] => (Array.isArray(value) ? value.map(values) : []);
const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

/** Kubernetes' own kinds, by the second evaluator for policies of others. */
export function kubernetesNaively(objects: readonly Rendered[], pods: readonly NaivePod[]): NaivePlane {
  const world = {
    namespaces: {},
    pods,
    network: objects
      .filter(({ kind }) => kind === "NetworkPolicy")
      .map(({ metadata, spec }) => ({ namespace: metadata.namespace ?? "", spec }) as unknown as OracleNetworkPolicy),
    tiered: objects.filter(({ kind }) => kind !== "NetworkPolicy").map(tieredOf),
  };
  return (from, to, protocol, port) => oracleAllows(world, from, to, protocol, port);
}

function tieredOf({ kind, spec }: Rendered): OracleTieredPolicy {
  const { tier, priority, subject, ...rest } = values(spec);
  const rules = (side: string) =>
    listed(rest[side]).map(({ protocols, ...rule }) =>
      protocols ? { ...rule, ports: listed(protocols).map(portOf) } : rule,
    );
  return {
    kind,
    baseline: tier === "Baseline" || kind === "BaselineAdminNetworkPolicy",
    spec: { priority, subject, ingress: rules("ingress"), egress: rules("egress") },
  } as unknown as OracleTieredPolicy;
}

/** A port of ClusterNetworkPolicy in the words of its predecessor. */
function portOf(protocol: Values): Values {
  const [name, value] = Object.entries(protocol)[0] ?? ["", undefined];
  if (name === "destinationNamedPort") return { namedPort: value };
  const { number, range } = values(values(value)["destinationPort"]);
  const proto = name.toUpperCase();
  return number === undefined
    ? { portRange: { protocol: proto, ...values(range) } }
    : { portNumber: { protocol: proto, port: number } };
}

/**
 * Cilium's own kinds, as its documentation tells them: a rule list of a direction closes the rest of it (unless
 * enableDefaultDeny says no), any allow opens, any deny closes whatever is allowed.
 */
export const ciliumNaively =
  (objects: readonly Rendered[]): NaivePlane =>
  (from, to, protocol, port) =>
    (
      [
        ["egress", from, to],
        ["ingress", to, from],
      ] as const
    ).every(([side, self, other]) => {
      const selecting = objects.filter(({ metadata, spec }) =>
        picks(values(spec)["endpointSelector"], self, metadata.namespace),
      );
      const meant = (rule: Values, namespace: string | undefined): boolean =>
        peerMeant(rule, side === "egress" ? "to" : "from", other, namespace) && portMeant(rule, to, protocol, port);
      const any = (key: string): boolean =>
        selecting.some(({ metadata, spec }) =>
          listed(values(spec)[key]).some((rule) => meant(rule, metadata.namespace)),
        );
      const closed = selecting.some(
        ({ spec }) =>
          values(values(spec)["enableDefaultDeny"])[side] !== false &&
          [side, `${side}Deny`].some((key) => listed(values(spec)[key]).length > 0),
      );
      return !any(`${side}Deny`) && (!closed || any(side));
    });

/** In a namespaced policy a selector without a namespace means its own. */
function picks(selector: unknown, pod: NaivePod, namespace: string | undefined): boolean {
  const { matchLabels, matchExpressions } = values(selector);
  const labels: Readonly<Record<string, string>> = {
    ...Object.fromEntries(Object.entries(pod.labels).map(([key, value]) => [`k8s:${key}`, value])),
    [PLACE]: pod.namespace,
  };
  const equal = Object.entries(values(matchLabels));
  const other = listed(matchExpressions);
  const placed = equal.some(([key]) => key === PLACE) || other.some(({ key }) => key === PLACE);
  return (
    (placed || namespace === undefined || pod.namespace === namespace) &&
    equal.every(([key, value]) => labels[key] === value) &&
    other.every(({ key, operator, values: wanted }) => {
      const value = labels[String(key)];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      return (value !== undefined && texts(wanted).includes(value)) === (operator === "In");
    })
  );
}

const PLACE = "k8s:io.kubernetes.pod.namespace";

/** A rule without any peer field means nobody here: ours write one for default deny alone. */
const peerMeant = (rule: Values, side: string, other: NaivePod, namespace: string | undefined): boolean =>
  texts(rule[`${side}Entities`]).includes("all") ||
  listed(rule[`${side}Endpoints`]).some((selector) => picks(selector, other, namespace));

function portMeant(rule: Values, to: NaivePod, protocol: string, port: number): boolean {
  if (rule["icmps"] !== undefined)
    return (
      protocol === "ICMP" &&
      listed(rule["icmps"]).some(({ fields }) =>
        listed(fields).some(({ family, type }) => family === "IPv4" && type === 8),
      )
    );
  if (rule["toPorts"] === undefined) return true;
  return listed(rule["toPorts"])
    .flatMap(({ ports }) => listed(ports))
    .some(({ port: written, protocol: proto, endPort }) => {
      if (proto !== protocol) return false;
      const number = Number(written);
      if (Number.isNaN(number))
        return to.ports.some((one) => one.name === written && one.protocol === protocol && one.containerPort === port);
      return number === 0 || (port >= number && port <= Number(endPort ?? written));
    });
}

/** ztunnel: asked at the destination, for TCP, by identity. */
export const ztunnelNaively =
  (objects: readonly Rendered[]): NaivePlane =>
  (from, to, protocol, port) => {
    if (protocol !== "TCP") return true;
    const asked = objects.filter(({ metadata, spec }) => {
      const { selector, targetRefs } = values(spec);
      const labels = Object.entries(values(values(selector)["matchLabels"]));
      return (
        targetRefs === undefined &&
        metadata.namespace === to.namespace &&
        labels.every(([key, value]) => to.labels[key] === value)
      );
    });
    if (asked.length === 0) return true;
    return asked.some(({ spec }) =>
      listed(values(spec)["rules"]).some(({ from: sources, to: operations }) => {
        const known = from.identity?.replace("spiffe://", "") ?? "";
        const isFrom =
          sources === undefined ||
          listed(sources).some(({ source }) =>
            texts(values(source)["principals"]).some((one) =>
              one.endsWith("*") ? known !== "" && known.startsWith(one.slice(0, -1)) : known === one,
            ),
          );
        const ports = listed(operations).flatMap(({ operation }) => texts(values(operation)["ports"]));
        return isFrom && (operations === undefined || ports.includes(String(port)));
      }),
    );
  };

import type { Connection } from "../policy/analysis/connectivity.ts";
import type { Listing, Section } from "../policy/analysis/listing.ts";
import type { NetworkName } from "../policy/analysis/scene.ts";
import { workloadText } from "../policy/model/endpoint.ts";
import { portSetText } from "../policy/sets/port-set.ts";

/** `primary UDN green`, `secondary NAD l2-network`; the Pod network in the words given. */
export const networkText = (network: NetworkName, podNetwork: string): string =>
  network.kind === "pod-network"
    ? podNetwork
    : `${network.kind === "NAD" ? "secondary" : "primary"} ${network.kind} ${network.name}`;

/** The list as lines `source => destination : connections`, with a heading for each network where there are several. */
export function renderListText(listing: Listing): string {
  const { sections, focus } = listing;
  const blocks: string[] = [];
  if (focus.conn) blocks.push(`Permitted connections on ${focus.conn.protocol} ${focus.conn.port}:\n`);
  const several = sections.some(
    ({ scene, connections }) => scene.network.kind !== "pod-network" && connections.length > 0,
  );
  for (const section of sections) {
    const lines = section.connections.map((connection) => lineOf(connection, focus.conn === undefined));
    const body = lines.length > 0 ? lines : several && !focus.conn ? whyEmpty(section) : [];
    if (body.length === 0) continue;
    const heading = several
      ? [`Permitted connectivity analyzed in ${networkText(section.scene.network, "Pod network")}:`]
      : [];
    blocks.push(text([...heading, ...body]));
  }
  if (listing.multipleNetworks && !focus.conn) blocks.push(mapping(listing));
  return blocks.join("\n");
}

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join("");

const lineOf = ({ source, destination, ports }: Connection, withPorts: boolean): string =>
  `${source.text} => ${destination.text}${withPorts ? ` : ${portSetText(ports)}` : ""}`;

function whyEmpty({ scene }: Section): readonly string[] {
  if (scene.network.kind !== "pod-network") return [];
  return scene.members.length === 0
    ? ["all input workloads are configured with (C)UDN as their primary network interface"]
    : ["All connections are not allowed for the workloads in the pod-network"];
}

/** Which networks each workload is on; with a focus only those that a line names. */
function mapping({ sections, focus }: Listing): string {
  const named = new Set(
    sections.flatMap(({ connections }) =>
      connections.flatMap(({ source, destination }) => [source.text, destination.text]),
    ),
  );
  const networks = new Map<string, { primary: string; secondary: string[] }>();
  for (const { scene } of sections)
    for (const { endpoint } of scene.members) {
      if (focus.workloads.length > 0 && !named.has(endpoint.text)) continue;
      const key = workloadText(endpoint.name);
      const entry = networks.get(key) ?? { primary: "", secondary: [] };
      networks.set(key, entry);
      const { network } = scene;
      if (network.kind === "NAD") entry.secondary.push(`${network.name}[NAD]`);
      else entry.primary = network.kind === "pod-network" ? network.kind : `${network.name}[${network.kind}]`;
    }
  const entries = [...networks].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = entries.flatMap(([name, { primary, secondary }]) => [
    `${name}: `,
    `\tPrimary Network: ${primary}`,
    ...(secondary.length > 0 ? [`\tSecondary Networks: ${secondary.join(",")}`] : []),
  ]);
  return text(["Workload-to-Networks Mapping:", ...lines]);
}

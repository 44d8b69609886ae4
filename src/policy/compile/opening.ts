import type { PortSpec } from "../../domain/sentences.ts";
import type { Line } from "../intent/line.ts";
import type { Bits } from "../reach/bits.ts";
import type { Party } from "./parties.ts";

/** Who may pass a door, on which ports, and the line that says so. `cells` are the workloads among them. */
export type Opening = {
  readonly line: Line;
  readonly parties: readonly Party[];
  readonly cells: Bits;
  readonly on: readonly PortSpec[];
};

/** The side of a line that stands at the far end of a door. */
export const FAR = { ingress: "from", egress: "to" } as const;
/** The side of a line that stands at the door itself. */
export const NEAR = { ingress: "to", egress: "from" } as const;

import type { Figures, Reading } from "./publishing-figures.ts";
import type { Readings } from "./services.ts";

type Copy = NonNullable<Readings["ledgerCopy"]>;

/** The figures of the ledger's copy, where there is one. */
export function copyFigures(readings: () => Copy | undefined): Figures {
  const read = (of: (copy: Copy) => number) => (): Reading => {
    const copy = readings();
    return copy ? of(copy) : [];
  };
  return {
    gauges: [
      ["signet_ledger_copy_behind_records", read(({ behind }) => behind)],
      ["signet_ledger_copy_failing", read(({ failing }) => Number(failing))],
    ],
    counters: [["signet_ledger_copied_records_total", read(({ copied }) => copied)]],
  };
}

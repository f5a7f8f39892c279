/** How wide and high panels are, on Grafana's grid of 24 columns. Pure. */
import type { Panel } from '../board.ts';

export const GRID_COLUMNS = 24;

export interface PanelSize {
  readonly width: number;
  readonly height: number;
}

const heights: Readonly<Record<Panel['kind'], number>> = { stat: 4, gauge: 6, graph: 8, states: 8, table: 9 };
/** More than these beside each other could not be read. */
const mostPerLine: Readonly<Record<Panel['kind'], number>> = { stat: 6, gauge: 4, graph: 3, states: 1, table: 1 };

/** Panels of a kind that follow each other share lines, which they fill from edge to edge. */
export function sizesOf(panels: readonly Panel[]): PanelSize[] {
  return runsOf(panels).flatMap(({ kind, count }) =>
    linesOf(count, mostPerLine[kind]).flatMap((perLine) =>
      widthsOf(perLine).map((width) => ({ width, height: heights[kind] })),
    ),
  );
}

function runsOf(panels: readonly Panel[]): { kind: Panel['kind']; count: number }[] {
  const runs: { kind: Panel['kind']; count: number }[] = [];
  for (const { kind } of panels) {
    const last = runs.at(-1);
    if (last?.kind === kind) last.count += 1;
    else runs.push({ kind, count: 1 });
  }
  return runs;
}

/** As few lines as hold them all, filled evenly: 7 of at most 3 are 3, 2, 2. */
function linesOf(count: number, most: number): number[] {
  const lines = Math.ceil(count / most);
  return Array.from({ length: lines }, (_, line) => Math.floor(count / lines) + (line < count % lines ? 1 : 0));
}

function widthsOf(perLine: number): number[] {
  const rest = GRID_COLUMNS % perLine;
  return Array.from({ length: perLine }, (_, index) => Math.floor(GRID_COLUMNS / perLine) + (index < rest ? 1 : 0));
}

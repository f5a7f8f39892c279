/** Panels in a line or two of what they are to tell. */
import type {
  Color,
  GaugePanel,
  GraphPanel,
  Panel,
  Query,
  Row,
  State,
  StatesPanel,
  StatPanel,
  TableColumn,
  TablePanel,
  Thresholds,
  Unit,
} from './board.ts';

/** Expressions by the names of their series. */
type Series = Readonly<Record<string, string>>;

type GraphOptions = Pick<GraphPanel, 'thresholds' | 'stacked' | 'steps' | 'min' | 'max'>;

export function graph(
  title: string,
  description: string,
  unit: Unit,
  series: Series,
  options: GraphOptions = {},
): GraphPanel {
  return { kind: 'graph', title, description, unit, queries: queriesOf(series), ...options };
}

/** How often things happened in each interval: what should not happen, or seldom. */
export function countsGraph(title: string, description: string, series: Series): GraphPanel {
  return graph(title, description, 'short', series, { min: 0, thresholds: none });
}

/** Shares between 0 and 1. */
export function shareGraph(title: string, description: string, series: Series, options: GraphOptions = {}): GraphPanel {
  return graph(title, description, 'percentunit', series, { min: 0, ...options });
}

export function stat(
  title: string,
  description: string,
  unit: Unit,
  expr: string,
  thresholds: Thresholds = plain,
): StatPanel {
  return { kind: 'stat', title, description, unit, queries: [{ legend: title, expr }], thresholds };
}

/** Shows what the legend makes of the series' labels. */
export function nameStat(title: string, description: string, legend: string, expr: string): StatPanel {
  return {
    kind: 'stat',
    title,
    description,
    unit: 'none',
    queries: [{ legend, expr }],
    thresholds: plain,
    showsName: true,
  };
}

export function shareGauge(title: string, description: string, expr: string, thresholds: Thresholds): GaugePanel {
  return {
    kind: 'gauge',
    title,
    description,
    unit: 'percentunit',
    queries: [{ legend: title, expr }],
    thresholds,
    max: 1,
  };
}

export function statesPanel(title: string, description: string, series: Series, states: readonly State[]): StatesPanel {
  return { kind: 'states', title, description, queries: queriesOf(series), states };
}

export function table(
  title: string,
  description: string,
  by: readonly string[],
  columns: readonly TableColumn[],
): TablePanel {
  return { kind: 'table', title, description, by, columns };
}

export function column(title: string, unit: Unit, expr: string, thresholds?: Thresholds): TableColumn {
  return { title, unit, expr, thresholds };
}

export function row(title: string, ...panels: readonly Panel[]): Row {
  return { title, panels, collapsed: false };
}

/** For those who want to know it all: folded up, and asked of Prometheus only when opened. */
export function foldedRow(title: string, ...panels: readonly Panel[]): Row {
  return { title, panels, collapsed: true };
}

const steps = (base: Color, ...pairs: readonly [from: number, color: Color][]): Thresholds => ({
  base,
  steps: pairs.map(([from, color]) => ({ from, color })),
});

/** Neither good nor bad. */
export const plain: Thresholds = steps('blue');
/** Should be nothing. */
export const none: Thresholds = steps('green', [0.001, 'red']);
/** Should be nothing, and is no alarm yet when it is not. */
export const few: Thresholds = steps('green', [0.001, 'orange']);
/** Fine below `warn`, bad from `alarm` on. */
export const rising = (warn: number, alarm: number): Thresholds => steps('green', [warn, 'orange'], [alarm, 'red']);
/** Bad below `wanted`. */
export const atLeast = (wanted: number): Thresholds => steps('red', [wanted, 'green']);

function queriesOf(series: Series): Query[] {
  return Object.entries(series).map(([legend, expr]) => ({ legend, expr }));
}

/** What a dashboard is to show, in our own words: `boards/` are made of these, `grafana/` turns them into Grafana's JSON. */

/** Ids of Grafana's units. */
export type Unit =
  | 'short'
  | 'none'
  | 'percentunit'
  | 'bytes'
  | 'Bps'
  | 's'
  | 'ops'
  | 'iops'
  | 'pps'
  | 'dateTimeFromNow'
  | 'bool_yes_no'
  | 'suffix: cores'
  | 'suffix: /s';

export type Color = 'green' | 'orange' | 'red' | 'blue' | 'purple';

/** The colour below the first step, and from which value on it is another. */
export interface Thresholds {
  readonly base: Color;
  readonly steps: readonly { readonly from: number; readonly color: Color }[];
}

export interface Query {
  /** How Grafana names its series: words, and labels as `{{label}}`. */
  readonly legend: string;
  readonly expr: string;
}

interface PanelWords {
  readonly title: string;
  /** What it shows, and what to make of it: shown at the panel's corner. */
  readonly description: string;
}

/** Series over time. */
export interface GraphPanel extends PanelWords {
  readonly kind: 'graph';
  readonly unit: Unit;
  readonly queries: readonly Query[];
  readonly thresholds?: Thresholds | undefined;
  /** On top of each other: parts of a whole. */
  readonly stacked?: boolean;
  /** As steps: counts that stay what they are until they change. */
  readonly steps?: boolean;
  readonly min?: number;
  readonly max?: number;
}

/** One number per series, now, in large. */
export interface StatPanel extends PanelWords {
  readonly kind: 'stat';
  readonly unit: Unit;
  readonly queries: readonly Query[];
  readonly thresholds: Thresholds;
  /** Shows the series' name in place of its value. */
  readonly showsName?: boolean;
}

/** A share of a whole, on a dial. */
export interface GaugePanel extends PanelWords {
  readonly kind: 'gauge';
  readonly unit: Unit;
  readonly queries: readonly Query[];
  readonly thresholds: Thresholds;
  readonly max: number;
}

export interface TableColumn {
  readonly title: string;
  readonly unit: Unit;
  readonly expr: string;
  readonly thresholds?: Thresholds | undefined;
}

/** A row per value of the labels `by`, which come first; then a column per expression. */
export interface TablePanel extends PanelWords {
  readonly kind: 'table';
  readonly by: readonly string[];
  readonly columns: readonly TableColumn[];
}

/** What a number of a series stands for. */
export interface State {
  readonly value: number;
  readonly word: string;
  readonly color: Color;
}

/** A band per series over time, with the word of the state it is in. */
export interface StatesPanel extends PanelWords {
  readonly kind: 'states';
  readonly queries: readonly Query[];
  readonly states: readonly State[];
}

export type Panel = GraphPanel | StatPanel | GaugePanel | TablePanel | StatesPanel;

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
  /** Folded up until someone opens it. */
  readonly collapsed: boolean;
}

/** A choice at the head of a dashboard: the values of a label of a series, several at once or all. */
export interface Variable {
  readonly name: string;
  readonly title: string;
  /** Whose label: may refer to the variables before it. */
  readonly selector: string;
  readonly label: string;
  /** What "all" stands for; absent: one value at a time. */
  readonly all?: '.*' | '.+';
}

/** Marks on the time axis: where the value of the expression, a time in ms, lies. */
export interface Marks {
  readonly name: string;
  readonly expr: string;
  readonly text: string;
  readonly color: Color;
}

export interface Board {
  /** Its address in Grafana: never changed, others link to it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly marks: readonly Marks[];
  readonly rows: readonly Row[];
}

/** Metrics that are computed from the cluster's state at each scrape, as text: nothing of them is kept in between. */
import type { ClusterView } from './cluster-view.ts';

export interface StateSample {
  /** The text between the braces, see `labelText`. */
  readonly labels: string;
  readonly value: number;
}

export interface StateFamily {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: (view: ClusterView) => Iterable<StateSample>;
}

/** One series per value: 1 for the current one, 0 for the others. `labels` is the text before. */
export function oneHot(labels: string, label: string, values: readonly string[], current: string): StateSample[] {
  return values.map((value) => ({ labels: `${labels},${label}="${value}"`, value: value === current ? 1 : 0 }));
}

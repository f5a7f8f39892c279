/** Metrics that are computed from the cluster's state at each scrape. */
import { Gauge } from 'prom-client';
import type { Metrics } from '../../runtime/metrics.ts';
import type { ClusterView } from './cluster-view.ts';

export interface GaugeSample<L extends string> {
  readonly labels: Readonly<Record<L, string>>;
  readonly value: number;
}

export interface GaugeFamily<L extends string = string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
  readonly samples: (view: ClusterView) => readonly GaugeSample<L>[];
}

/** Checks a family's labels against its samples, then forgets which labels they are. */
export function gaugeFamily<L extends string>(family: GaugeFamily<L>): GaugeFamily {
  return family;
}

/** Puts the family on the registry; label sets that no longer occur vanish with the next scrape. */
export function registerGaugeFamily(registry: Metrics, family: GaugeFamily, currentView: () => ClusterView): void {
  const { name, help, labelNames, samples } = family;
  const gauge = new Gauge({
    name,
    help,
    labelNames: [...labelNames],
    registers: [],
    collect() {
      this.reset();
      for (const { labels, value } of samples(currentView())) this.set(labels, value);
    },
  });
  registry.registerMetric(gauge);
}

/** prom-client set up once per process; rooms declare their own metrics on the registry they are given. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, type HistogramConfiguration, Registry } from 'prom-client';
import { collectEventLoopLag } from './event-loop-lag.ts';
import { collectOpenFiles } from './open-files.ts';

export type Metrics = Registry;

/** prom-client's own look at the event loop cannot be left out: it is put off for ever. */
const NEVER_MS = 2 ** 31 - 1;

/** A registry with build information and Node's own process metrics. */
export function createMetrics(component: string, version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER_MS });
  for (const { name } of registry.getMetricsAsArray()) if (isUnwanted(name)) registry.removeSingleMetric(name);
  collectEventLoopLag(registry);
  collectOpenFiles(registry);
  const build = new Gauge({
    name: 'plimsoll_build_info',
    help: 'Always 1; what runs here, by component and version.',
    labelNames: ['component', 'version', 'node_version'],
    registers: [registry],
  });
  build.set({ component, version, node_version: process.version }, 1);
  return registry;
}

/** What is measured more cheaply below; and gauges that call themselves totals, of which the series by type are enough. */
function isUnwanted(name: string): boolean {
  return /^(nodejs_(eventloop_lag|active_\w+_total$)|process_open_fds$)/.test(name);
}

/** A counter on `registry`, the same one if it is declared there already. */
export function counterOf<L extends string>(
  registry: Metrics,
  name: string,
  help: string,
  labelNames: readonly L[] = [],
): Counter<L> {
  const existing = registry.getSingleMetric(name);
  if (existing) return existing as Counter<L>;
  return new Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
}

/** A gauge on `registry`, the same one if it is declared there already. */
export function gaugeOf<L extends string>(
  registry: Metrics,
  name: string,
  help: string,
  labelNames: readonly L[] = [],
): Gauge<L> {
  const existing = registry.getSingleMetric(name);
  if (existing) return existing as Gauge<L>;
  return new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });
}

/** A histogram on `registry`, the same one if it is declared there already. */
export function histogramOf<L extends string>(
  registry: Metrics,
  configuration: Omit<HistogramConfiguration<L>, 'registers'>,
): Histogram<L> {
  const existing = registry.getSingleMetric(configuration.name);
  if (existing) return existing as Histogram<L>;
  return new Histogram({ ...configuration, registers: [registry] });
}

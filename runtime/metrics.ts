/** prom-client set up once per process; rooms declare their own metrics on the registry they are given. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export type Metrics = Registry;

/** A registry with build information and Node's own process metrics. */
export function createMetrics(component: string, version: string): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const build = new Gauge({
    name: 'plimsoll_build_info',
    help: 'Always 1; what runs here, by component and version.',
    labelNames: ['component', 'version', 'node_version'],
    registers: [registry],
  });
  build.set({ component, version, node_version: process.version }, 1);
  return registry;
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

/** How late the event loop is, under the names prom-client gives it. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/**
 * prom-client looks every 10 ms, which alone costs half a percent of a core; every 100 ms it is an eighth of that.
 * A stall of any length is still met as often as its share of the time is.
 */
const LOOK_EVERY_MS = 100;

/** What is shown, before the time between two looks is taken off. */
const figures: readonly (readonly [figure: string, delayNs: (histogram: IntervalHistogram) => number])[] = [
  ['mean', ({ mean }) => mean],
  ['max', ({ max }) => max],
  ['p50', (histogram) => histogram.percentile(50)],
  ['p90', (histogram) => histogram.percentile(90)],
  ['p99', (histogram) => histogram.percentile(99)],
];

/** Looks from now on. Each scrape begins anew, so two scrapers see different parts of the time. */
export function collectEventLoopLag(registry: Registry): void {
  const histogram = monitorEventLoopDelay({ resolution: LOOK_EVERY_MS });
  histogram.enable();
  const gauges = figures.map(([figure, delayNs]) => ({ gauge: lagGauge(figure), delayNs }));
  const collect = () => {
    for (const { gauge, delayNs } of gauges) gauge.set(lagSeconds(delayNs(histogram)));
    histogram.reset();
  };
  // One of them fetches for all: each on its own would read what the one before has reset.
  for (const [index, { gauge }] of gauges.entries()) {
    if (index === 0) Object.assign(gauge, { collect });
    registry.registerMetric(gauge);
  }
}

function lagGauge(figure: string): Gauge {
  const name = `nodejs_eventloop_lag_${figure}_seconds`;
  return new Gauge({ name, help: `Delays of the event loop since the last scrape: ${figure}.`, registers: [] });
}

/** Before the first look there is nothing to tell. */
function lagSeconds(delayNs: number): number {
  return Number.isFinite(delayNs) ? Math.max(0, delayNs / 1e9 - LOOK_EVERY_MS / 1000) : 0;
}

/** How old what nodes said of their usage is. */
import { Gauge } from 'prom-client';
import type { Metrics } from '../../runtime/metrics.ts';
import type { UsageBook } from './usage-book.ts';

/** Puts the age on the registry; `nameOf` answers what people call a node. */
export function registerUsageMetrics(
  registry: Metrics,
  book: Pick<UsageBook, 'agesSeconds'>,
  nameOf: (nodeId: string) => string,
): void {
  const age = new Gauge({
    name: 'plimsoll_node_usage_age_seconds',
    help: 'How long ago a node last told what it uses.',
    labelNames: ['node', 'node_id'],
    registers: [],
    collect() {
      this.reset();
      for (const [nodeId, seconds] of book.agesSeconds()) this.set({ node: nameOf(nodeId), node_id: nodeId }, seconds);
    },
  });
  registry.registerMetric(age);
}

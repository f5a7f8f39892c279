/** What the autoscaler counts of its own work; what it decided is told from its records, by every coordinator. */
import type { Counter } from 'prom-client';
import { counterOf, type Metrics } from '../../runtime/metrics.ts';

export interface AutoscaleMetrics {
  readonly decisions: Counter<'direction'>;
  readonly failures: Counter<'code'>;
  readonly queries: Counter<'outcome'>;
}

export function autoscaleMetrics(registry: Metrics): AutoscaleMetrics {
  return {
    decisions: counterOf(
      registry,
      'plimsoll_autoscaler_decisions_total',
      'Times the autoscaler looked at a service, by what it decided: up, down, none.',
      ['direction'],
    ),
    failures: counterOf(
      registry,
      'plimsoll_autoscaler_failures_total',
      'Decisions of the autoscaler that could not be made or written.',
      ['code'],
    ),
    queries: counterOf(
      registry,
      'plimsoll_autoscaler_prometheus_queries_total',
      'Questions asked of Prometheus, by outcome: value, or problem (no answer, or not one number).',
      ['outcome'],
    ),
  };
}

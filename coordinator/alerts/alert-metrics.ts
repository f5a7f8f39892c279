/** What coordinators count of alerts that act. */
import type { Counter } from 'prom-client';
import { counterOf, type Metrics } from '../../runtime/metrics.ts';

export interface AlertMetrics {
  readonly received: Counter<'outcome'>;
  readonly refused: Counter<'reason'>;
  readonly deeds: Counter<'action' | 'outcome'>;
  readonly syncs: Counter<'outcome'>;
}

export function alertMetrics(registry: Metrics): AlertMetrics {
  return {
    received: counterOf(
      registry,
      'plimsoll_alerts_received_total',
      'Alerts that came in through /v1/alerts, by what became of them.',
      ['outcome'],
    ),
    refused: counterOf(
      registry,
      'plimsoll_alerts_refused_total',
      'Messages to /v1/alerts refused as a whole, by why: token, message, busy or failure.',
      ['reason'],
    ),
    deeds: counterOf(registry, 'plimsoll_alerts_deeds_total', 'Restarts and rollbacks for alerts, by how they ended.', [
      'action',
      'outcome',
    ]),
    syncs: counterOf(
      registry,
      'plimsoll_alerts_syncs_total',
      'Times Alertmanager was asked which alerts fire, by outcome: answer or problem.',
      ['outcome'],
    ),
  };
}

/** What the bus counts. */
import type { Counter } from 'prom-client';
import { counterOf, type Metrics } from '../runtime/metrics.ts';

export interface BusMetrics {
  /** By bucket: records that do not fit their schema, once per revision seen. */
  readonly recordsQuarantined: Counter<'bucket'>;
  /** By kind (second token of the subject): messages that did not fit their schema. */
  readonly messagesDropped: Counter<'kind'>;
  /** By kind: publishes that failed or found no connection. */
  readonly publishFailures: Counter<'kind'>;
  /** By bucket: writes refused because the record is another by now. */
  readonly conflicts: Counter<'bucket'>;
  /** By bucket: acknowledgements that were lost though the write had happened. */
  readonly lostAcknowledgements: Counter<'bucket'>;
  /** By bucket and why: watches rebuilt from scratch. */
  readonly watchRebuilds: Counter<'bucket' | 'reason'>;
  readonly reconnects: Counter;
  /** By kind: handlers that threw. */
  readonly handlerErrors: Counter<'kind'>;
}

/** The bus's counters on `registry`; the same ones when they are declared there already. */
export function busMetrics(registry: Metrics): BusMetrics {
  const byBucket = (name: string, help: string) => counterOf(registry, name, help, ['bucket'] as const);
  const byKind = (name: string, help: string) => counterOf(registry, name, help, ['kind'] as const);
  return {
    recordsQuarantined: byBucket(
      'plimsoll_bus_records_quarantined_total',
      'Stored records that do not fit their schema.',
    ),
    messagesDropped: byKind('plimsoll_bus_messages_dropped_total', 'Messages that do not fit their schema.'),
    publishFailures: byKind('plimsoll_bus_publish_failures_total', 'Messages that could not be published.'),
    conflicts: byBucket('plimsoll_bus_write_conflicts_total', 'Writes refused because the record had changed.'),
    lostAcknowledgements: byBucket(
      'plimsoll_bus_lost_acknowledgements_total',
      'Writes that had happened though their acknowledgement was lost.',
    ),
    watchRebuilds: counterOf(
      registry,
      'plimsoll_bus_watch_rebuilds_total',
      'Watches rebuilt from scratch, by reason.',
      ['bucket', 'reason'] as const,
    ),
    reconnects: counterOf(registry, 'plimsoll_bus_reconnects_total', 'Connections to NATS made again after a loss.'),
    handlerErrors: byKind('plimsoll_bus_handler_errors_total', 'Message handlers that threw.'),
  };
}

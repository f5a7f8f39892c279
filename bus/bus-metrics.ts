/** What the bus counts. */
import type { Counter, Gauge, Histogram } from 'prom-client';
import { counterOf, gaugeOf, histogramOf, type Metrics } from '../runtime/metrics.ts';

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
  readonly bucketOperations: Counter<'bucket' | 'operation' | 'outcome'>;
  readonly bucketSeconds: Histogram<'bucket' | 'operation'>;
  /** By bucket and filter: how far a watch was behind when it last compared itself with its stream. */
  readonly watchLag: Gauge<'bucket' | 'filter'>;
  readonly connected: Gauge<'connection'>;
  readonly roundTripSeconds: Gauge<'connection'>;
  readonly pingFailures: Counter<'connection'>;
  readonly messages: Counter<'connection' | 'direction'>;
  readonly bytes: Counter<'connection' | 'direction'>;
  readonly slowConsumers: Counter<'connection'>;
  /** What the server said no to, or said was wrong. */
  readonly serverErrors: Counter<'connection'>;
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
    ...bucketMetrics(registry),
    ...connectionMetrics(registry),
  };
}

type BucketMetrics = Pick<BusMetrics, 'bucketOperations' | 'bucketSeconds' | 'watchLag'>;

function bucketMetrics(registry: Metrics): BucketMetrics {
  return {
    bucketOperations: counterOf(
      registry,
      'plimsoll_bus_bucket_operations_total',
      'Reads, writes, deletes and watches of a bucket, by how they ended.',
      ['bucket', 'operation', 'outcome'] as const,
    ),
    bucketSeconds: histogramOf(registry, {
      name: 'plimsoll_bus_bucket_operation_duration_seconds',
      help: 'Time until a bucket has answered; of a watch, until its first reading is whole.',
      labelNames: ['bucket', 'operation'] as const,
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 5],
    }),
    watchLag: gaugeOf(
      registry,
      'plimsoll_bus_watch_lag_revisions',
      'How many revisions a watch was behind its stream when it last compared itself.',
      ['bucket', 'filter'] as const,
    ),
  };
}

function connectionMetrics(registry: Metrics) {
  const counter = (name: string, help: string) => counterOf(registry, name, help, ['connection'] as const);
  const gauge = (name: string, help: string) => gaugeOf(registry, name, help, ['connection'] as const);
  const directed = (name: string, help: string) =>
    counterOf(registry, name, help, ['connection', 'direction'] as const);
  return {
    connected: gauge('plimsoll_bus_connected', '1 while a connection to NATS stands, else 0.'),
    roundTripSeconds: gauge('plimsoll_bus_round_trip_seconds', 'How long the last ping to NATS took.'),
    pingFailures: counter('plimsoll_bus_ping_failures_total', 'Pings NATS did not answer in time.'),
    messages: directed('plimsoll_bus_messages_total', 'Messages over a connection to NATS.'),
    bytes: directed('plimsoll_bus_bytes_total', 'Bytes of messages over a connection to NATS.'),
    slowConsumers: counter('plimsoll_bus_slow_consumers_total', 'Times messages came faster than they were read.'),
    serverErrors: counter('plimsoll_bus_server_errors_total', 'Errors NATS reported on a connection.'),
  };
}

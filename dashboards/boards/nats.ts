/** NATS as agents and coordinators feel it: connections, traffic, reads and writes of buckets, watches that are behind. */
import type { Board } from '../board.ts';
import { atLeast, countsGraph, few, graph, none, plain, rising, row, stat } from '../panels.ts';
import { count, increase, max, onNodes, orZero, rate, sum } from '../promql.ts';
import { daemonHost, job } from '../variables.ts';

const some = (labels: string, metric: string) => `${sum(labels, increase(onNodes(metric)))} > 0`;
const duration = (matchers: string, labels: string) =>
  `histogram_quantile(0.95, ${sum(`le, ${labels}`, rate(onNodes('plimsoll_bus_bucket_operation_duration_seconds_bucket', matchers)))})`;

export const nats: Board = {
  uid: 'plimsoll-nats',
  title: 'Plimsoll / NATS',
  description:
    'NATS as agents and coordinators feel it: connections, traffic, reads and writes of buckets, watches that are behind.',
  variables: [job, daemonHost],
  marks: [],
  rows: [
    row(
      'Is it well?',
      stat(
        'Connections',
        'Connections to NATS that stand.',
        'short',
        sum('', onNodes('plimsoll_bus_connected')),
        atLeast(1),
      ),
      stat(
        'Connections down',
        'Connections to NATS that do not stand right now.',
        'short',
        orZero(count('', `${onNodes('plimsoll_bus_connected')} == 0`)),
        none,
      ),
      stat(
        'Slowest round trip',
        'The slowest of the last pings of all connections.',
        's',
        max('', onNodes('plimsoll_bus_round_trip_seconds')),
        rising(0.05, 0.5),
      ),
      stat(
        'Farthest behind',
        'Revisions the farthest watch was behind its stream when it last compared itself.',
        'short',
        max('', onNodes('plimsoll_bus_watch_lag_revisions')),
        few,
      ),
      stat(
        'Operations',
        'Reads, writes, deletes and watches per second.',
        'ops',
        sum('', rate(onNodes('plimsoll_bus_bucket_operations_total'))),
        plain,
      ),
    ),
    row(
      'Connections',
      graph(
        'Round trips',
        'How long the last ping took: agents use one connection for state, one for beats, one for streams.',
        's',
        {
          '{{job}} {{instance}} {{connection}}': max(
            'job, instance, connection',
            onNodes('plimsoll_bus_round_trip_seconds'),
          ),
        },
        { min: 0 },
      ),
      countsGraph(
        'Lost connections',
        'Connections made again, pings not answered in time, messages that came too fast, errors NATS reported.',
        {
          '{{instance}} made again': sum('instance', increase(onNodes('plimsoll_bus_reconnects_total'))),
          '{{instance}} {{connection}} pings not answered': sum(
            'instance, connection',
            increase(onNodes('plimsoll_bus_ping_failures_total')),
          ),
          '{{instance}} {{connection}} too fast': sum(
            'instance, connection',
            increase(onNodes('plimsoll_bus_slow_consumers_total')),
          ),
          '{{instance}} {{connection}} errors': sum(
            'instance, connection',
            increase(onNodes('plimsoll_bus_server_errors_total')),
          ),
        },
      ),
      graph(
        'Messages',
        'Messages per second, by connection and direction.',
        'suffix: /s',
        { '{{connection}} {{direction}}': sum('connection, direction', rate(onNodes('plimsoll_bus_messages_total'))) },
        { min: 0 },
      ),
      graph(
        'Traffic',
        'Bytes per second, by connection and direction.',
        'Bps',
        { '{{connection}} {{direction}}': sum('connection, direction', rate(onNodes('plimsoll_bus_bytes_total'))) },
        { min: 0 },
      ),
    ),
    row(
      'Buckets',
      graph(
        'Operations',
        'Per second, by bucket and kind.',
        'ops',
        { '{{bucket}} {{operation}}': sum('bucket, operation', rate(onNodes('plimsoll_bus_bucket_operations_total'))) },
        { min: 0 },
      ),
      graph(
        'Outcomes',
        'Per second, by how they ended.',
        'ops',
        { '{{outcome}}': sum('outcome', rate(onNodes('plimsoll_bus_bucket_operations_total'))) },
        { min: 0 },
      ),
      graph(
        'Time of a write',
        '95 of 100 were faster: NATS answers when it is on disk.',
        's',
        { '{{bucket}} {{operation}}': duration('operation!="watch"', 'bucket, operation') },
        { min: 0 },
      ),
      graph(
        'Watches behind',
        'Revisions a watch was behind its stream when it last compared itself.',
        'short',
        {
          '{{job}} {{instance}} {{bucket}}': max('job, instance, bucket', onNodes('plimsoll_bus_watch_lag_revisions')),
        },
        { min: 0 },
      ),
      countsGraph(
        'Write conflicts',
        'Writes refused because the record had changed, and those that had happened though their acknowledgement was lost.',
        {
          '{{bucket}} refused': some('bucket', 'plimsoll_bus_write_conflicts_total'),
          '{{bucket}} acknowledgement lost': some('bucket', 'plimsoll_bus_lost_acknowledgements_total'),
        },
      ),
      graph(
        'Watches read again',
        'Watches read from the beginning, by reason: reread is the usual full pass.',
        'short',
        { '{{bucket}} ({{reason}})': some('bucket, reason', 'plimsoll_bus_watch_rebuilds_total') },
        { min: 0 },
      ),
    ),
    row(
      'What was not understood',
      countsGraph(
        'Records and messages',
        'Records and messages that do not fit their schema, could not be published, or made their handler throw.',
        {
          '{{bucket}} records': some('bucket', 'plimsoll_bus_records_quarantined_total'),
          '{{kind}} messages': some('kind', 'plimsoll_bus_messages_dropped_total'),
          '{{kind}} not published': some('kind', 'plimsoll_bus_publish_failures_total'),
          '{{kind}} handler threw': some('kind', 'plimsoll_bus_handler_errors_total'),
        },
      ),
    ),
  ],
};

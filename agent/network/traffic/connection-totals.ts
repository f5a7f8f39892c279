/** Connections begun to this node's tasks, and between services, since this agent was started. */

import type { Counter } from 'prom-client';
import { CALLS_AT_MOST, type ServiceCalls } from '../../../model/messages.ts';
import { counterOf, type Metrics } from '../../../runtime/metrics.ts';
import type { CalledTask, CallingService, TrafficView } from './traffic-view.ts';

/** Who calls and is none of the cluster's: no service is called so. */
const OUTSIDE = '(outside)';
/** Series of calls this node has at most; further pairs are left out of them. */
const PAIRS_AT_MOST = 1_000;

/** Connections begun: by the address that was called from outside; by `caller called`. */
export interface BegunCalls {
  readonly outside: ReadonlyMap<string, number>;
  readonly between: ReadonlyMap<string, number>;
}

interface Pair {
  readonly from: CallingService | undefined;
  readonly to: CallingService;
}

export class ConnectionTotals {
  private readonly byTask = new Map<string, { readonly labels: TaskLabels; total: number }>();
  private readonly pairs = new Map<string, { readonly labels: PairLabels; readonly to: string }>();
  private readonly taskConnections: Counter<'service' | 'task'>;
  private readonly serviceCalls: Counter<'from' | 'to'>;

  constructor(metrics: Metrics) {
    this.taskConnections = counterOf(
      metrics,
      'plimsoll_task_connections_total',
      'Connections begun to a task of this node.',
      ['service', 'task'],
    );
    this.serviceCalls = counterOf(
      metrics,
      'plimsoll_service_calls_total',
      'Connections tasks of a service begin to tasks of another on this node.',
      ['from', 'to'],
    );
  }

  /** By task; of every task there is now. */
  get tasks(): ReadonlyMap<string, number> {
    return new Map([...this.byTask].map(([taskId, { total }]) => [taskId, total]));
  }

  /** Adds what was begun to each address, and leaves out tasks that are gone. */
  addConnections(grown: ReadonlyMap<string, number>, tasks: readonly CalledTask[]): void {
    this.forgetAllBut(tasks);
    for (const { taskId, serviceName, addresses } of tasks) {
      const labels = { service: serviceName, task: taskId };
      const begun = sum(addresses.map((address) => grown.get(address) ?? 0));
      const known = this.byTask.get(taskId) ?? { labels, total: 0 };
      this.byTask.set(taskId, { labels, total: known.total + begun });
      this.taskConnections.inc(labels, begun);
    }
  }

  /** Adds what was begun in so many seconds, and answers it by service, the most first. */
  addCalls(begun: BegunCalls, view: TrafficView, seconds: number): ServiceCalls[] {
    const pairs = [...callsByService(begun, view).values()];
    for (const { pair, count } of pairs) this.count(pair, count);
    const rates = pairs.map(({ pair: { from, to }, count }) => ({
      from: from?.serviceId,
      to: to.serviceId,
      connectionsPerSecond: Number((count / seconds).toFixed(2)),
    }));
    return rates.sort((a, b) => b.connectionsPerSecond - a.connectionsPerSecond).slice(0, CALLS_AT_MOST);
  }

  private count({ from, to }: Pair, count: number): void {
    const labels = { from: from?.serviceName ?? OUTSIDE, to: to.serviceName };
    const key = `${labels.from} ${labels.to}`;
    if (!this.pairs.has(key) && this.pairs.size >= PAIRS_AT_MOST) return;
    this.pairs.set(key, { labels, to: to.serviceId });
    this.serviceCalls.inc(labels, count);
  }

  private forgetAllBut(tasks: readonly CalledTask[]): void {
    const ids = new Set(tasks.map(({ taskId }) => taskId));
    for (const [taskId, { labels }] of this.byTask) {
      if (ids.has(taskId)) continue;
      this.byTask.delete(taskId);
      this.taskConnections.remove(labels);
    }
    const services = new Set(tasks.map(({ serviceId }) => serviceId));
    for (const [key, { labels, to }] of this.pairs) {
      if (services.has(to)) continue;
      this.pairs.delete(key);
      this.serviceCalls.remove(labels);
    }
  }
}

interface TaskLabels {
  readonly service: string;
  readonly task: string;
}

interface PairLabels {
  readonly from: string;
  readonly to: string;
}

interface CountedPair {
  readonly pair: Pair;
  count: number;
}

/** Who calls from an address nobody is known at is from outside as well. */
function callsByService({ outside, between }: BegunCalls, view: TrafficView): Map<string, CountedPair> {
  const callers = view.callers();
  const called = new Map(view.tasks.flatMap((task) => task.addresses.map((address) => [address, task] as const)));
  const begun = new Map<string, CountedPair>();
  const add = (from: CallingService | undefined, address: string, count: number) => {
    const to = called.get(address);
    if (to === undefined) return;
    const key = `${from?.serviceId ?? ''} ${to.serviceId}`;
    const known = begun.get(key) ?? { pair: { from, to }, count: 0 };
    known.count += count;
    begun.set(key, known);
  };
  for (const [pair, count] of between) {
    const [caller = '', address = ''] = pair.split(' ');
    add(callers.get(caller), address, count);
  }
  for (const [address, count] of outside) add(undefined, address, count);
  return begun;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

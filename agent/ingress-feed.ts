/** Keeps this node's published ports pointing at its ready tasks. */
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { AgentMetrics } from './agent-metrics.ts';
import type { UnnumberedStatus } from './plan/status.ts';
import { ingressEndpoints, type PublishedPorts } from './published-ports.ts';
import type { TasksHere } from './tasks-here.ts';

export class IngressFeed {
  private readonly ports: PublishedPorts;
  private readonly log: Log;
  private readonly metrics: AgentMetrics;
  /** Address of each ready task. */
  private readonly addresses = new Map<string, string>();
  private applied: string | undefined;

  constructor(ports: PublishedPorts, log: Log, metrics: AgentMetrics) {
    this.ports = ports;
    this.log = log;
    this.metrics = metrics;
  }

  /** A task changed: applies the new list of endpoints when it is a new one. */
  take(status: UnnumberedStatus, here: TasksHere): void {
    const before = this.addresses.get(status.taskId);
    const address = status.ready ? status.address : undefined;
    if (before === address) return;
    if (address === undefined) this.addresses.delete(status.taskId);
    else this.addresses.set(status.taskId, address);
    this.apply(here);
  }

  /** All containers are known: what an agent before us published for others is to go, also when we publish nothing. */
  begin(here: TasksHere): void {
    if (this.applied === undefined) this.apply(here);
  }

  private apply(here: TasksHere): void {
    const endpoints = here.tasks().flatMap(({ record }) => ingressEndpoints(record, this.addresses.get(record.id)));
    const text = JSON.stringify(endpoints);
    if (text === this.applied) return;
    this.applied = text;
    this.ports.apply(endpoints).catch((error) => {
      this.metrics.ingressFailures.inc();
      this.log.error({ error: messageOf(error) }, 'cannot set the published ports: trying again with the next check');
    });
  }
}
